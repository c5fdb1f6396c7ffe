package org.sparkformer.opencl.contract;

import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.sparkformer.tensor.ops.SoftmaxCrossEntropy;

/** Softmax and cross-entropy. */
public final class SoftmaxCrossEntropyCases {
  private static final float SCALE = 0.125f;

  private SoftmaxCrossEntropyCases() {}

  static Stream<OperationCase> all() {
    return Stream.of(
            new int[] {1, 1},
            new int[] {3, 7},
            new int[] {7, 61},
            new int[] {61, 93},
            new int[] {5, 127},
            new int[] {127, 768},
            new int[] {3, 5003})
        .flatMap(shape -> of(shape[0], shape[1]));
  }

  private static Stream<OperationCase> of(int rows, int vocabulary) {
    Gradient gradient =
        new Gradient(
            w -> operation(w, rows, vocabulary, false),
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
        of(rows, vocabulary, true).withGradient(rows * vocabulary < 500 ? gradient : null));
  }

  public static OperationCase of(int rows, int vocabulary, boolean gradient) {
    return new OperationCase(
        "SoftmaxCrossEntropy " + rows + " x " + vocabulary + (gradient ? " with gradient" : ""),
        w -> operation(w, rows, vocabulary, gradient),
        // Losses are about 10, sums of V positive terms: a few units of their last place.
        new Tolerance(4e-6, 4e-6));
  }

  /** Every fifth row, from the third, has no target. */
  private static SoftmaxCrossEntropy operation(
      Workspace w, int rows, int vocabulary, boolean gradient) {
    int[] targets =
        IntStream.range(0, rows).map(row -> row % 5 == 2 ? -1 : row * 31 % vocabulary).toArray();
    return new SoftmaxCrossEntropy(
        gradient ? w.updated("logits", rows, vocabulary) : w.input("logits", rows, vocabulary),
        w.integers("targets", targets, rows),
        w.output("losses", rows),
        SCALE,
        gradient);
  }
}
