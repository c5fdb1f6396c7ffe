package org.sparkformer.opencl.kernels;

import java.util.Map;
import org.sparkformer.opencl.DeviceInfo;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.opencl.Specialisation;
import org.sparkformer.tensor.ops.SoftmaxCrossEntropy;

/** Rows of a few vectors by {@code softmax_cross_entropy_narrow.cl}, on processors. */
public final class NarrowSoftmaxCrossEntropy implements Specialisation<SoftmaxCrossEntropy> {
  private static final String FILE = "softmax_cross_entropy_narrow.cl";

  /** Whole vectors of a row that stay in registers, at most. */
  private static final int FEW_VECTORS = 8;

  @Override
  public Class<SoftmaxCrossEntropy> operation() {
    return SoftmaxCrossEntropy.class;
  }

  @Override
  public String description() {
    return FILE;
  }

  @Override
  public boolean runsOn(DeviceInfo device) {
    return device.kind() == DeviceInfo.Kind.CPU;
  }

  @Override
  public boolean supports(SoftmaxCrossEntropy operation, DeviceInfo device) {
    int vectors = operation.columns() / Vectors.width(device);
    boolean plain =
        operation.width() == operation.columns() && !Elements.isBfloat16(operation.logits());
    return plain && vectors > 0 && vectors <= FEW_VECTORS;
  }

  @Override
  public void enqueue(SoftmaxCrossEntropy softmax, LaunchContext context) {
    int width = Vectors.width(context.device());
    Map<String, Integer> macros = Map.of("WIDTH", width, "VECTORS", softmax.columns() / width);
    SoftmaxCrossEntropyKernels.withArguments(
            context.kernel(FILE, "softmaxCrossEntropyNarrow", macros), softmax)
        .over(Vectors.count(softmax.logits().rows(), width), 1);
  }
}
