package org.sparkformer.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.autograd.Tape;
import org.sparkformer.tensor.ops.Fill;
import org.sparkformer.tensor.reference.JavaBackend;

class GptTest {
  private static final int BATCH = 2;
  private static final int LENGTH = 5;
  private static final GptConfiguration TINY = GptConfiguration.of(2, 2, 8, 6, 11);

  private final Backend backend = new JavaBackend();

  @Test
  void gptTwoHasThePublishedNumberOfParameters() {
    GptConfiguration small = GptConfiguration.of(12, 12, 768, 1024, 50257);
    assertEquals(124_439_808L, Gpt.layout(small).parameterCount());
    assertEquals(small.parameterCount(), Gpt.layout(small).parameterCount());
  }

  @Test
  void gradientsAgreeWithFiniteDifferences() {
    float[] weights = weights();
    float[] gradient = gradient(TINY, weights, DropoutSites.NONE);
    Random random = new Random(5);
    for (ParameterLayout.Parameter parameter : Gpt.layout(TINY).parameters()) {
      int at = (int) (parameter.offset() + random.nextInt((int) parameter.shape().size()));
      double expected = slope(weights, at, DropoutSites.NONE);
      assertEquals(
          expected, gradient[at], 2e-3 * Math.max(0.05, Math.abs(expected)), parameter.name());
    }
  }

  @Test
  void gradientsUnderDropoutAgreeWithFiniteDifferences() {
    DropoutSites dropouts = new DropoutSites(0.3f, 17, 3, 4);
    float[] weights = weights();
    float[] gradient = gradient(TINY, weights, dropouts);
    Random random = new Random(6);
    for (ParameterLayout.Parameter parameter : Gpt.layout(TINY).parameters()) {
      int at = (int) (parameter.offset() + random.nextInt((int) parameter.shape().size()));
      double expected = slope(weights, at, dropouts);
      assertEquals(
          expected, gradient[at], 2e-3 * Math.max(0.05, Math.abs(expected)), parameter.name());
    }
  }

  @Test
  void recomputingActivationsChangesNoBit() {
    GptConfiguration recomputing = new GptConfiguration(2, 2, 8, 6, 11, 0, true);
    DropoutSites dropouts = new DropoutSites(0.2f, 17, 3, 4);
    assertArrayEquals(
        gradient(TINY, weights(), dropouts), gradient(recomputing, weights(), dropouts));
  }

  @Test
  void trainingGivesBackAllActivations() {
    long before = backend.memory().bytes();
    gradient(TINY, weights(), DropoutSites.NONE);
    assertEquals(before, backend.memory().bytes());
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void atItsMarkAParametersGradientIsFinal(boolean recompute) {
    GptConfiguration configuration = new GptConfiguration(3, 2, 8, LENGTH, 11, 0, recompute);
    Map<Integer, float[]> seen = new LinkedHashMap<>();
    ParameterLayout layout = Gpt.layout(configuration);
    try (Tensor parameters = backend.floats(layout.size());
        Tensor gradients = backend.floats(layout.size())) {
      Initialization.run(backend, layout, parameters, 42);
      backend.run(new Fill(gradients, 0f));
      Gpt gpt = new Gpt(configuration, parameters, gradients);
      run(gpt, true, DropoutSites.NONE, mark -> seen.put(mark, backend.readFloats(gradients)));
      seen.put(LanguageModel.END_OF_PASS, backend.readFloats(gradients));
    }
    assertEquals(List.of(3, 2, 1, 0, LanguageModel.END_OF_PASS), List.copyOf(seen.keySet()));
    for (ParameterLayout.Parameter parameter : layout.parameters()) {
      int mark = Math.min(3, parameter.finishingMark());
      int from = (int) parameter.offset();
      int to = from + (int) parameter.shape().size();
      float[] last = Arrays.copyOfRange(seen.get(LanguageModel.END_OF_PASS), from, to);
      assertArrayEquals(last, Arrays.copyOfRange(seen.get(mark), from, to), parameter.name());
      assertTrue(!Arrays.equals(last, new float[to - from]), parameter.name());
    }
  }

  private float[] weights() {
    ParameterLayout layout = Gpt.layout(TINY);
    try (Tensor flat = backend.floats(layout.size())) {
      Initialization.run(backend, layout, flat, 42);
      float[] weights = backend.readFloats(flat);
      for (int i = 0; i < weights.length; i++) {
        weights[i] *= 5; // away from the flat start, so that slopes are large enough to measure
      }
      return weights;
    }
  }

  private float[] gradient(GptConfiguration configuration, float[] weights, DropoutSites dropouts) {
    try (Tensor parameters = backend.floats(weights.length);
        Tensor gradients = backend.floats(weights.length)) {
      backend.write(parameters, weights);
      backend.run(new Fill(gradients, 0f));
      run(new Gpt(configuration, parameters, gradients), true, dropouts);
      return backend.readFloats(gradients);
    }
  }

  /** Central difference with the leading error term removed (Richardson extrapolation). */
  private double slope(float[] weights, int at, DropoutSites dropouts) {
    return (4 * slope(weights, at, dropouts, 5e-3f) - slope(weights, at, dropouts, 1e-2f)) / 3;
  }

  private double slope(float[] weights, int at, DropoutSites dropouts, float step) {
    float kept = weights[at];
    weights[at] = kept + step;
    float above = weights[at];
    double lossAbove = loss(weights, dropouts);
    weights[at] = kept - step;
    double lossBelow = loss(weights, dropouts);
    double width = (double) above - weights[at];
    weights[at] = kept;
    return (lossAbove - lossBelow) / width;
  }

  private double loss(float[] weights, DropoutSites dropouts) {
    try (Tensor parameters = backend.floats(weights.length)) {
      backend.write(parameters, weights);
      return run(new Gpt(TINY, parameters, null), false, dropouts);
    }
  }

  private double run(Gpt gpt, boolean backward, DropoutSites dropouts) {
    return run(gpt, backward, dropouts, mark -> {});
  }

  private double run(Gpt gpt, boolean backward, DropoutSites dropouts, IntConsumer marks) {
    Random random = new Random(3);
    int rows = BATCH * LENGTH;
    try (Tensor tokens = backend.ints(BATCH, LENGTH);
        Tensor targets = backend.ints(BATCH, LENGTH);
        Tensor losses = backend.floats(rows);
        Tape tape = new Tape(backend, backward)) {
      backend.write(tokens, random.ints(rows, 0, 11).toArray());
      backend.write(targets, random.ints(rows, 0, 11).toArray());
      gpt.loss(tape, Batch.of(tokens, targets, losses), 1f / rows, dropouts);
      if (backward) {
        tape.backward(marks);
      }
      double sum = 0;
      for (float loss : backend.readFloats(losses)) {
        sum += loss;
      }
      return sum / rows;
    }
  }
}
