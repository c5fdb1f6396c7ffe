package org.sparkformer.opencl.contract;

import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.sparkformer.tensor.ops.MatMul;
import org.sparkformer.tensor.ops.SoftmaxCrossEntropy;
import org.sparkformer.tensor.ops.TopHits;

/** Softmax and cross-entropy, and how often the likeliest token is the target. */
public final class SoftmaxCrossEntropyCases {
  private static final float SCALE = 0.125f;

  private SoftmaxCrossEntropyCases() {}

  static Stream<OperationCase> all() {
    Stream<OperationCase> exact =
        Stream.of(
                new int[] {1, 1},
                new int[] {3, 7},
                new int[] {18, 16},
                new int[] {9, 47},
                new int[] {7, 61},
                new int[] {16, 65},
                new int[] {61, 93},
                new int[] {17, 111},
                new int[] {5, 127},
                new int[] {33, 143},
                new int[] {127, 768},
                new int[] {3, 5003},
                // GPT-2's: so long that chunks are more than the least that CHUNK says.
                new int[] {3, 50257},
                // More than a GPU's work-group keeps in registers.
                new int[] {3, 60013})
            .flatMap(shape -> of(shape[0], shape[1]));
    // Each takes programs of its own on a GPU.
    Stream<OperationCase> filledUp =
        Stream.of(
                new int[] {7, 61}, new int[] {127, 768}, new int[] {3, 50257}, new int[] {3, 60013})
            .flatMap(shape -> filledUp(shape[0], shape[1]));
    return Stream.concat(exact, filledUp);
  }

  private static Stream<OperationCase> of(int rows, int vocabulary) {
    Gradient gradient =
        new Gradient(
            w -> operation(w, rows, vocabulary, vocabulary, false),
            Map.of("logits", "logits"),
            (forward, backward) -> {
              double loss = 0;
              for (float value : forward.get("losses")) {
                loss += SCALE * value;
              }
              return loss;
            });
    return Stream.of(
        of(rows, vocabulary, false),
        hits(rows, vocabulary),
        of(rows, vocabulary, true).withGradient(rows * vocabulary < 500 ? gradient : null));
  }

  public static OperationCase of(int rows, int vocabulary, boolean gradient) {
    return new OperationCase(
        "SoftmaxCrossEntropy " + rows + " x " + vocabulary + (gradient ? " with gradient" : ""),
        w -> operation(w, rows, vocabulary, vocabulary, gradient),
        // Losses are about 10, sums of V positive terms: a few units of their last place.
        new Tolerance(4e-6, 4e-6));
  }

  /** In rows filled up to whole lines, beyond V with anything. */
  private static Stream<OperationCase> filledUp(int rows, int vocabulary) {
    OperationCase exact =
        new OperationCase(
            "SoftmaxCrossEntropy " + rows + " x " + vocabulary + " filled up",
            w -> operation(w, rows, vocabulary, MatMul.filledUp(vocabulary), true),
            new Tolerance(4e-6, 4e-6));
    return Stream.of(exact, exact.withBfloat16("logits"));
  }

  /**
   * The target of every other row is made the largest, and in some of these another is as large.
   */
  private static OperationCase hits(int rows, int vocabulary) {
    int[] targets = targets(rows, vocabulary);
    float[] logits = Workspace.normal("logits", (long) rows * vocabulary);
    for (int row = 0; row < rows; row += 2) {
      logits[row * vocabulary + Math.max(0, targets[row])] = 9;
      logits[row * vocabulary + row % vocabulary] = row % 4 == 0 ? 9 : 0;
    }
    return new OperationCase(
        "TopHits " + rows + " x " + vocabulary,
        w ->
            new TopHits(
                w.given("logits", logits, rows, vocabulary),
                w.integers("targets", targets, rows),
                w.output("hits", rows)),
        Tolerance.EXACT);
  }

  /** Every fifth row, from the third, has no target. */
  private static int[] targets(int rows, int vocabulary) {
    return IntStream.range(0, rows).map(row -> row % 5 == 2 ? -1 : row * 31 % vocabulary).toArray();
  }

  private static SoftmaxCrossEntropy operation(
      Workspace w, int rows, int vocabulary, int width, boolean gradient) {
    int[] targets = targets(rows, vocabulary);
    return new SoftmaxCrossEntropy(
        gradient ? w.updated("logits", rows, width) : w.input("logits", rows, width),
        w.integers("targets", targets, rows),
        w.output("losses", rows),
        vocabulary,
        SCALE,
        gradient);
  }
}
