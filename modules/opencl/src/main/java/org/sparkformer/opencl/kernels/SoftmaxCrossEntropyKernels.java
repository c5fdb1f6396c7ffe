package org.sparkformer.opencl.kernels;

import java.util.List;
import java.util.Map;
import org.sparkformer.opencl.Launch;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.opencl.Specialisation;
import org.sparkformer.tensor.ops.SoftmaxCrossEntropy;

/**
 * Launches of {@code softmax_cross_entropy.cl}, and of {@code softmax_cross_entropy_narrow.cl}
 * where one work-item can hold a row in registers.
 */
public final class SoftmaxCrossEntropyKernels {
  private static final String FILE = "softmax_cross_entropy.cl";
  private static final String NARROW = "softmax_cross_entropy_narrow.cl";

  /** Whole vectors of a row that stay in registers, at most. */
  private static final int FEW_VECTORS = 8;

  private SoftmaxCrossEntropyKernels() {}

  public static List<Specialisation<?>> all() {
    return List.of(
        KernelLaunch.of(SoftmaxCrossEntropy.class, FILE, SoftmaxCrossEntropyKernels::enqueue));
  }

  private static void enqueue(SoftmaxCrossEntropy softmax, LaunchContext context) {
    Map<String, Integer> tunables = context.tunables(FILE);
    int width = tunables.get("WIDTH");
    int vectors = softmax.columns() / width;
    int items = tunables.get("ITEMS");
    boolean narrow = items == 1 && width > 1 && vectors > 0 && vectors <= FEW_VECTORS;
    Launch launch =
        narrow
            ? context.kernel(
                NARROW, "softmaxCrossEntropyNarrow", Map.of("WIDTH", width, "VECTORS", vectors))
            : context.kernel(FILE, "softmaxCrossEntropy");
    int rows = softmax.logits().rows();
    launch
        .tensor(softmax.logits())
        .tensor(softmax.targets())
        .tensor(softmax.losses())
        .number(rows)
        .number(softmax.columns())
        .number(softmax.scale())
        .number(softmax.gradient() ? 1 : 0)
        .over(Launch.groups(rows, narrow ? width : tunables.get("ROWS")), items);
  }
}
