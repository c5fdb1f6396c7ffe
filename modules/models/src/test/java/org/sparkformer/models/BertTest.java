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
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.autograd.Tape;
import org.sparkformer.tensor.ops.Fill;
import org.sparkformer.tensor.reference.JavaBackend;

class BertTest {
  private static final int BATCH = 2;
  private static final int LENGTH = 6;
  private static final int MASKED = 2;
  private static final int VOCABULARY = 11;
  private static final BertConfiguration TINY = BertConfiguration.of(2, 2, 8, LENGTH, VOCABULARY);

  private final Backend backend = new JavaBackend();

  @ParameterizedTest
  @CsvSource({
    "12, 12, 768, 109514298, 109482240",
    "24, 16, 1024, 335174458, 335141888",
  })
  void hasAsManyParametersAsTransformersCounts(
      int layers, int heads, int width, long maskedLm, long model) {
    BertConfiguration bert = BertConfiguration.of(layers, heads, width, 512, 30522);
    assertEquals(maskedLm, bert.layout().parameterCount());
    assertEquals(maskedLm, bert.parameterCount());
    assertEquals(model, bert.publishedParameterCount());
  }

  @Test
  void gradientsUnderDropoutAgreeWithFiniteDifferences() {
    DropoutSites dropouts = new DropoutSites(0.3f, 17, 3, 4);
    float[] weights = weights(TINY);
    float[] gradient = gradients(TINY, weights, dropouts, mark -> {});
    Random random = new Random(6);
    for (ParameterLayout.Parameter parameter : TINY.layout().parameters()) {
      int at = (int) (parameter.offset() + random.nextInt((int) parameter.shape().size()));
      double expected = slope(weights, at, dropouts);
      assertEquals(
          expected, gradient[at], 2e-3 * Math.max(0.05, Math.abs(expected)), parameter.name());
    }
  }

  @Test
  void recomputingActivationsChangesNoBit() {
    BertConfiguration recomputing = new BertConfiguration(2, 2, 8, LENGTH, VOCABULARY, 0, true);
    DropoutSites dropouts = new DropoutSites(0.2f, 17, 3, 4);
    float[] weights = weights(TINY);
    assertArrayEquals(
        gradients(TINY, weights, dropouts, mark -> {}),
        gradients(recomputing, weights, dropouts, mark -> {}));
  }

  @Test
  void trainingGivesBackAllActivations() {
    float[] weights = weights(TINY);
    long before = backend.memory().bytes();
    gradients(TINY, weights, DropoutSites.NONE, mark -> {});
    assertEquals(before, backend.memory().bytes());
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void atItsMarkAParametersGradientIsFinal(boolean recompute) {
    BertConfiguration bert = new BertConfiguration(3, 2, 8, LENGTH, VOCABULARY, 0, recompute);
    ParameterLayout layout = bert.layout();
    Map<Integer, float[]> seen = new LinkedHashMap<>();
    try (Tensor parameters = backend.floats(layout.size());
        Tensor gradients = backend.floats(layout.size())) {
      backend.write(parameters, weights(bert));
      backend.run(new Fill(gradients, 0f));
      run(
          new Bert(bert, parameters, gradients),
          true,
          DropoutSites.NONE,
          mark -> seen.put(mark, backend.readFloats(gradients)));
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

  private float[] weights(BertConfiguration bert) {
    try (Tensor flat = backend.floats(bert.layout().size())) {
      Initialization.run(backend, bert.layout(), flat, 42);
      float[] weights = backend.readFloats(flat);
      for (int i = 0; i < weights.length; i++) {
        weights[i] *= 5; // away from the flat start, so that slopes are large enough to measure
      }
      return weights;
    }
  }

  private float[] gradients(
      BertConfiguration bert, float[] weights, DropoutSites dropouts, IntConsumer marks) {
    try (Tensor parameters = backend.floats(weights.length);
        Tensor gradients = backend.floats(weights.length)) {
      backend.write(parameters, weights);
      backend.run(new Fill(gradients, 0f));
      run(new Bert(bert, parameters, gradients), true, dropouts, marks);
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
      return run(new Bert(TINY, parameters, null), false, dropouts, mark -> {});
    }
  }

  /** Mean loss of two tokens a sequence; the last of them is to be ignored. */
  private double run(Bert bert, boolean backward, DropoutSites dropouts, IntConsumer marks) {
    Random random = new Random(3);
    try (Tensor tokens = backend.ints(BATCH, LENGTH);
        Tensor rows = backend.ints(BATCH, MASKED);
        Tensor targets = backend.ints(BATCH, MASKED);
        Tensor losses = backend.floats(BATCH * MASKED);
        Tape tape = new Tape(backend, backward)) {
      backend.write(tokens, random.ints(BATCH * LENGTH, 0, VOCABULARY).toArray());
      backend.write(rows, new int[] {1, 4, LENGTH, 0});
      backend.write(targets, new int[] {3, 0, 7, -1});
      bert.loss(tape, new Batch(tokens, rows, targets, losses, null), 1f / 3, dropouts);
      if (backward) {
        tape.backward(marks);
      }
      double sum = 0;
      for (float loss : backend.readFloats(losses)) {
        sum += loss;
      }
      return sum / 3;
    }
  }
}
