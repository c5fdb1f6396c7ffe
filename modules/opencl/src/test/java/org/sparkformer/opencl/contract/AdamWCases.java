package org.sparkformer.opencl.contract;

import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.AdamW;

/** The optimizer's step. */
public final class AdamWCases {
  static final String PARAMETERS = "parameters";
  static final String ROUNDED = "rounded";

  private AdamWCases() {}

  static Stream<OperationCase> all() {
    return IntStream.of(1, 3, 7, 61, 93, 127, 768, 5000)
        .boxed()
        .flatMap(
            n ->
                Stream.of(
                    of("clipped", n, n * 4f, settings(n / 2, 1f)),
                    rounded("clipped", n, n * 4f, settings(n / 2, 1f)),
                    rounded("not finite", n, Float.NaN, settings(n / 2, 1f)),
                    of("not clipped", n, 0.25f, settings(n, 1f)),
                    of("without clipping", n, n * 4f, settings(0, 0f)),
                    of("with a gradient that is not finite", n, Float.NaN, settings(n / 2, 1f)),
                    of("with an infinite gradient", n, 1f / 0f, settings(n / 2, 1f))));
  }

  private static AdamW.Settings settings(long decayed, float clip) {
    return new AdamW.Settings(1e-2f, 0.9f, 0.95f, 1e-8f, 0.1f, decayed, clip, 3);
  }

  /**
   * @param squaredNorm of the gradient
   */
  public static OperationCase of(String name, int n, float squaredNorm, AdamW.Settings settings) {
    return of(name, n, squaredNorm, settings, w -> null);
  }

  /** As above, in bf16 too. */
  static OperationCase rounded(String name, int n, float squaredNorm, AdamW.Settings settings) {
    Function<Workspace, Tensor> rounded =
        w -> Float.isFinite(squaredNorm) ? w.output(ROUNDED, n) : w.updated(ROUNDED, n);
    return of(name, n, squaredNorm, settings, rounded).withBfloat16(ROUNDED);
  }

  private static OperationCase of(
      String name,
      int n,
      float squaredNorm,
      AdamW.Settings settings,
      Function<Workspace, Tensor> rounded) {
    return new OperationCase(
        "AdamW " + n + " " + name,
        w ->
            new AdamW(
                w.updated(PARAMETERS, n),
                w.input("gradients", n),
                w.updated("firstMoment", n),
                squares(w, n),
                rounded.apply(w),
                w.given("squaredNorm", new float[] {squaredNorm}, 1),
                settings),
        // The step divides by sqrt(v), at least about 0.1 here; fused operations move last places.
        new Tolerance(1e-6, 1e-6));
  }

  private static Tensor squares(Workspace w, int n) {
    float[] values = Workspace.normal("secondMoment", n);
    for (int i = 0; i < n; i++) {
      values[i] = values[i] * values[i] + 0.01f;
    }
    return w.updatedFrom("secondMoment", values, n);
  }
}
