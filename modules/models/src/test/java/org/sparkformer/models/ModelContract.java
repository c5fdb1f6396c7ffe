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
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkformer.models.ParameterLayout.Parameter;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.autograd.Tape;
import org.sparkformer.tensor.ops.Fill;
import org.sparkformer.tensor.reference.JavaBackend;

/** What holds for every architecture. */
abstract class ModelContract {
  private static final int BATCH = 2;
  static final int VOCABULARY = 11;

  private static final DropoutSites DROPOUTS = new DropoutSites(0.3f, 17, 3, 4);

  private final Backend backend = new JavaBackend();

  /** A model of two heads and width 8 over {@link #VOCABULARY} tokens. */
  abstract ModelConfiguration tiny(int layers, boolean recompute);

  /** Rows to be predicted, null for all of them, and what they are to be, negative to ignore. */
  record Task(int length, int[] rows, int[] targets) {}

  abstract Task task();

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void gradientsAgreeWithFiniteDifferences(boolean drops) {
    DropoutSites dropouts = drops ? DROPOUTS : DropoutSites.NONE;
    ModelConfiguration model = tiny(2, false);
    float[] weights = weights(model);
    float[] gradients = gradients(model, weights, dropouts);
    Random random = new Random(drops ? 6 : 5);
    for (Parameter parameter : model.layout().parameters()) {
      int at = (int) (parameter.offset() + random.nextInt((int) parameter.shape().size()));
      double expected = slope(weights, at, dropouts);
      assertEquals(
          expected, gradients[at], 2e-3 * Math.max(0.05, Math.abs(expected)), parameter.name());
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "BFLOAT16"})
  void recomputingActivationsChangesNoBit(DType operands) {
    float[] weights = weights(tiny(2, false));
    assertArrayEquals(
        gradients(tiny(2, false), weights, DROPOUTS, operands),
        gradients(tiny(2, true), weights, DROPOUTS, operands));
  }

  /** Each of some ten roundings on the way to a gradient moves it by up to 2^-9. */
  @Test
  void operandsOfBfloat16MoveGradientsByLittle() {
    ModelConfiguration model = tiny(2, false);
    float[] weights = weights(model);
    float[] exact = gradients(model, weights, DROPOUTS);
    float[] rounded = gradients(model, weights, DROPOUTS, DType.BFLOAT16);
    double square = 0;
    double difference = 0;
    for (int i = 0; i < exact.length; i++) {
      square += (double) exact[i] * exact[i];
      difference += Math.pow(rounded[i] - exact[i], 2);
    }
    double relative = Math.sqrt(difference / square);
    assertTrue(relative > 1e-4 && relative < 0.02, "relative difference " + relative);
  }

  @Test
  void trainingGivesBackAllActivations() {
    ModelConfiguration model = tiny(2, false);
    float[] weights = weights(model);
    long before = backend.memory().bytes();
    gradients(model, weights, DropoutSites.NONE);
    assertEquals(before, backend.memory().bytes());
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void atItsMarkAParametersGradientIsFinal(boolean recompute) {
    ModelConfiguration model = tiny(3, recompute);
    Map<Integer, float[]> seen = gradientsAtMarks(model);
    assertEquals(List.of(3, 2, 1, 0, LanguageModel.END_OF_PASS), List.copyOf(seen.keySet()));
    for (Parameter parameter : model.layout().parameters()) {
      int mark = Math.min(3, parameter.finishingMark());
      int from = (int) parameter.offset();
      int to = from + (int) parameter.shape().size();
      float[] last = Arrays.copyOfRange(seen.get(LanguageModel.END_OF_PASS), from, to);
      assertArrayEquals(last, Arrays.copyOfRange(seen.get(mark), from, to), parameter.name());
      assertTrue(!Arrays.equals(last, new float[to - from]), parameter.name());
    }
  }

  private Map<Integer, float[]> gradientsAtMarks(ModelConfiguration model) {
    Map<Integer, float[]> seen = new LinkedHashMap<>();
    try (Tensor parameters = backend.floats(model.layout().size());
        Tensor gradients = backend.floats(model.layout().size());
        Tape tape = new Tape(backend, true)) {
      backend.write(parameters, weights(model));
      backend.run(new Fill(gradients, 0f));
      run(
          tape,
          model.bind(parameters, gradients),
          DropoutSites.NONE,
          mark -> seen.put(mark, backend.readFloats(gradients)));
      seen.put(LanguageModel.END_OF_PASS, backend.readFloats(gradients));
    }
    return seen;
  }

  private float[] weights(ModelConfiguration model) {
    try (Tensor flat = backend.floats(model.layout().size())) {
      Initialization.run(backend, model.layout(), flat, 42);
      float[] weights = backend.readFloats(flat);
      for (int i = 0; i < weights.length; i++) {
        weights[i] *= 5; // away from the flat start, so that slopes are large enough to measure
      }
      return weights;
    }
  }

  private float[] gradients(ModelConfiguration model, float[] weights, DropoutSites dropouts) {
    return gradients(model, weights, dropouts, DType.FLOAT32);
  }

  private float[] gradients(
      ModelConfiguration model, float[] weights, DropoutSites dropouts, DType operands) {
    try (Tensor parameters = backend.floats(weights.length);
        Tensor gradients = backend.floats(weights.length)) {
      backend.write(parameters, weights);
      backend.run(new Fill(gradients, 0f));
      try (Tape tape = new Tape(backend, true, operands)) {
        run(tape, model.bind(parameters, gradients), dropouts, mark -> {});
      }
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
    try (Tensor parameters = backend.floats(weights.length);
        Tape tape = new Tape(backend, false)) {
      backend.write(parameters, weights);
      return run(tape, tiny(2, false).bind(parameters, null), dropouts, mark -> {});
    }
  }

  /** Mean loss of the targets, on tokens that are always the same. */
  private double run(Tape tape, LanguageModel model, DropoutSites dropouts, IntConsumer marks) {
    Task task = task();
    int[] inputs = new Random(3).ints(BATCH * task.length(), 0, VOCABULARY).toArray();
    long count = Arrays.stream(task.targets()).filter(target -> target >= 0).count();
    try (Tensor tokens = ints(inputs);
        Tensor rows = task.rows() == null ? null : ints(task.rows());
        Tensor targets = ints(task.targets());
        Tensor losses = backend.floats(task.targets().length)) {
      model.loss(tape, new Batch(tokens, rows, targets, losses, null), 1f / count, dropouts);
      if (tape.recording()) {
        tape.backward(marks);
      }
      double sum = 0;
      for (float loss : backend.readFloats(losses)) {
        sum += loss;
      }
      return sum / count;
    }
  }

  private Tensor ints(int[] values) {
    Tensor tensor = backend.ints(BATCH, values.length / BATCH);
    backend.write(tensor, values);
    return tensor;
  }
}
