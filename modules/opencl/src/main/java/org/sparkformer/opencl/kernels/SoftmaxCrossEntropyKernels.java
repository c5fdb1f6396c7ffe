package org.sparkformer.opencl.kernels;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.sparkformer.opencl.Launch;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.opencl.Specialisation;
import org.sparkformer.tensor.ops.SoftmaxCrossEntropy;

/** Launches of {@code softmax_cross_entropy.cl}. */
public final class SoftmaxCrossEntropyKernels {
  private static final String FILE = "softmax_cross_entropy.cl";

  private SoftmaxCrossEntropyKernels() {}

  public static List<Specialisation<?>> all() {
    return List.of(
        new NarrowSoftmaxCrossEntropy(),
        new HeldSoftmaxCrossEntropy(),
        KernelLaunch.of(SoftmaxCrossEntropy.class, FILE, SoftmaxCrossEntropyKernels::enqueue));
  }

  private static void enqueue(SoftmaxCrossEntropy softmax, LaunchContext context) {
    Map<String, Integer> tunables = context.tunables(FILE);
    Map<String, Integer> macros = new HashMap<>(tunables);
    Elements.define(macros, "LOGITS_BF16", softmax.logits());
    withArguments(context.kernel(FILE, "softmaxCrossEntropy", macros), softmax)
        .number(softmax.width())
        .over(Launch.groups(softmax.logits().rows(), tunables.get("ROWS")), tunables.get("ITEMS"));
  }

  static Launch withArguments(Launch launch, SoftmaxCrossEntropy softmax) {
    return launch
        .elements(softmax.logits())
        .tensor(softmax.targets())
        .tensor(softmax.losses())
        .number(softmax.logits().rows())
        .number(softmax.columns())
        .number(softmax.scale())
        .number(softmax.gradient() ? 1 : 0);
  }
}
