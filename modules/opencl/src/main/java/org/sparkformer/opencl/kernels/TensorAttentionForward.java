package org.sparkformer.opencl.kernels;

import org.sparkformer.opencl.DeviceInfo;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.opencl.Specialisation;
import org.sparkformer.opencl.kernels.TensorAttention.Rows;
import org.sparkformer.tensor.ops.AttentionForward;

/** Attention whose products may round to bf16, on NVIDIA's tensor cores. */
public final class TensorAttentionForward implements Specialisation<AttentionForward> {
  @Override
  public Class<AttentionForward> operation() {
    return AttentionForward.class;
  }

  @Override
  public String description() {
    return TensorAttention.FILE + " attention_forward (bf16 by mma.sync)";
  }

  @Override
  public boolean runsOn(DeviceInfo device) {
    return NvidiaDevice.multipliesBfloat16(device);
  }

  @Override
  public boolean supports(AttentionForward operation, DeviceInfo device) {
    return TensorAttention.supports(operation.attention());
  }

  @Override
  public void enqueue(AttentionForward operation, LaunchContext context) {
    TensorAttention attention = new TensorAttention(operation, context);
    try (Rows q = attention.rows(operation.query(), operation.queries());
        Rows k = attention.rows(operation.key(), operation.keys());
        Rows v = attention.rows(operation.value(), operation.keys())) {
      attention.over(
          AttentionPass.FORWARD,
          attention
              .begin(AttentionPass.FORWARD, null, q, k, v)
              .elements(operation.y())
              .tensor(operation.logSumExp()));
    }
  }
}
