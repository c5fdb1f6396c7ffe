package org.sparkformer.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkformer.models.ParameterLayout.Parameter;
import org.sparkformer.models.safetensors.SafetensorsReader;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.autograd.Tape;
import org.sparkformer.tensor.ops.Fill;

/**
 * Losses and gradients against PyTorch on the same weights and batch, which has padding and two
 * token types; see bert/make_golden.py.
 */
class BertGoldenTest {
  private static final int BATCH = 3;
  private static final int LENGTH = 13;
  private static final int ROWS = BATCH * LENGTH;

  /** Relative to a tensor's norm. PyTorch's own fp32 gradients lie 9e-7 from its fp64 ones. */
  private static final double TOLERANCE = 1e-4;

  private final ParameterLayout layout = BertGolden.CONFIGURATION.layout();

  /** What is asked of a model and what came of it. */
  private record Outcome(float[] losses, float[] hits, float[] gradients) {}

  @ParameterizedTest
  @CsvSource({
    "JAVA, false, false",
    "OPENCL, false, false",
    "OPENCL, true, false",
    "OPENCL, false, true"
  })
  void lossesAndGradientsAgreeWithPyTorch(TestBackend kind, boolean recompute, boolean gathered)
      throws IOException {
    try (Backend backend = kind.open();
        SafetensorsReader golden = BertGolden.open()) {
      int[] targets = Golden.ints(golden, "targets");
      int[] rows =
          gathered
              ? IntStream.range(0, ROWS).filter(row -> targets[row] >= 0).toArray()
              : IntStream.range(0, ROWS).toArray();
      Outcome outcome = run(backend, BertGolden.recomputing(recompute), golden, rows);
      float[] expected = Golden.floats(golden, "losses");
      Golden.assertClose(part(expected, rows), outcome.losses(), TOLERANCE, "losses");
      for (Parameter parameter : layout.parameters()) {
        check(parameter, golden, outcome.gradients());
      }
      assertHits(part(expected, rows), outcome.hits());
    }
  }

  /** The biases of the keys have no gradient: softmax ignores what is added to all scores. */
  private static void check(Parameter parameter, SafetensorsReader golden, float[] gradients)
      throws IOException {
    int from = (int) parameter.offset();
    float[] actual = Arrays.copyOfRange(gradients, from, from + (int) parameter.shape().size());
    if (parameter.name().endsWith("key.bias")) {
      assertTrue(Golden.distance(actual, new float[actual.length]) < 1e-6, parameter.name());
      return;
    }
    float[] expected = Golden.floats(golden, "gradient." + parameter.name());
    Golden.assertClose(expected, actual, TOLERANCE, parameter.name());
  }

  /** Where a token's probability is above a half it is a hit, where below 1 / V none. */
  private static void assertHits(float[] losses, float[] hits) {
    for (int i = 0; i < losses.length; i++) {
      if (losses[i] > Math.log(BertGolden.CONFIGURATION.vocabularySize())) {
        assertEquals(0f, hits[i]);
      } else if (losses[i] > 0 && losses[i] < Math.log(2)) {
        assertEquals(1f, hits[i]);
      }
    }
  }

  private Outcome run(
      Backend backend, BertConfiguration configuration, SafetensorsReader golden, int[] rows)
      throws IOException {
    int[] targets = Golden.ints(golden, "targets");
    long count = Arrays.stream(targets).filter(target -> target >= 0).count();
    int[] predicted = Arrays.stream(rows).map(row -> targets[row]).toArray();
    try (Tensor weights = BertGolden.weights(backend);
        Tensor gradients = backend.floats(layout.size());
        Tensor tokens = ints(backend, Golden.ints(golden, "tokens"), BATCH, LENGTH);
        Tensor types = ints(backend, Golden.ints(golden, "types"), BATCH, LENGTH);
        Tensor lengths = ints(backend, Golden.ints(golden, "lengths"), BATCH);
        Tensor places = ints(backend, rows, rows.length);
        Tensor wanted = ints(backend, predicted, rows.length);
        Tensor losses = backend.floats(rows.length);
        Tensor hits = backend.floats(rows.length);
        Tape tape = new Tape(backend, true)) {
      backend.run(new Fill(gradients, 0f));
      Batch batch = new Batch(tokens, rows.length == ROWS ? null : places, wanted, losses, hits);
      new Bert(configuration, weights, gradients)
          .loss(tape, new Bert.Input(tokens, types, lengths), batch, 1f / count, DropoutSites.NONE);
      tape.backward();
      return new Outcome(
          backend.readFloats(losses), backend.readFloats(hits), backend.readFloats(gradients));
    }
  }

  private static Tensor ints(Backend backend, int[] values, long... extents) {
    Tensor tensor = backend.ints(extents);
    backend.write(tensor, values);
    return tensor;
  }

  private static float[] part(float[] values, int[] rows) {
    float[] part = new float[rows.length];
    for (int i = 0; i < rows.length; i++) {
      part[i] = values[rows[i]];
    }
    return part;
  }
}
