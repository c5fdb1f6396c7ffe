package org.sparkformer.opencl.kernels;

import java.util.HashMap;
import java.util.Map;
import org.sparkformer.opencl.DeviceInfo;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.opencl.Specialisation;
import org.sparkformer.tensor.ops.SoftmaxCrossEntropy;

/** Rows that registers hold by {@code softmax_cross_entropy_held.cl}, on NVIDIA's GPUs. */
public final class HeldSoftmaxCrossEntropy implements Specialisation<SoftmaxCrossEntropy> {
  private static final String FILE = "softmax_cross_entropy_held.cl";

  private static final int FEWEST_ITEMS = 64;
  private static final int MOST_ITEMS = 512;

  /** Values of an item that leave room for more than one group on a compute unit. */
  private static final int EASY_VALUES = 32;

  /** With 512 items an item has 128 registers; the vocabulary of GPT-2 takes 99. */
  private static final int MOST_VALUES = 100;

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
    return NvidiaDevice.multipliesBfloat16(device);
  }

  @Override
  public boolean supports(SoftmaxCrossEntropy operation, DeviceInfo device) {
    return operation.columns() <= MOST_ITEMS * MOST_VALUES;
  }

  @Override
  public void enqueue(SoftmaxCrossEntropy softmax, LaunchContext context) {
    int columns = softmax.columns();
    int items = FEWEST_ITEMS;
    while (items < MOST_ITEMS && columns > items * EASY_VALUES) {
      items *= 2;
    }
    Map<String, Integer> macros = new HashMap<>();
    macros.put("ITEMS", items);
    macros.put("VALUES", Vectors.count(columns, items));
    Elements.define(macros, "LOGITS_BF16", softmax.logits());
    SoftmaxCrossEntropyKernels.withArguments(
            context.kernel(FILE, "softmaxCrossEntropyHeld", macros), softmax)
        .number(softmax.width())
        .over(softmax.logits().rows(), items);
  }
}
