package org.sparkformer.opencl.kernels;

import java.util.List;
import java.util.stream.Stream;
import org.sparkformer.opencl.DeviceInfo;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.opencl.Specialisation;
import org.sparkformer.opencl.kernels.TensorAttention.Rows;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.ops.AttentionForward;

/** Attention whose products may round to bf16, on NVIDIA's tensor cores. */
public final class TensorAttentionForward implements Specialisation<AttentionForward> {
  private final TensorInstructions instructions;

  private TensorAttentionForward(TensorInstructions instructions) {
    this.instructions = instructions;
  }

  public static List<Specialisation<?>> all() {
    return Stream.of(TensorInstructions.values())
        .<Specialisation<?>>map(TensorAttentionForward::new)
        .toList();
  }

  @Override
  public Class<AttentionForward> operation() {
    return AttentionForward.class;
  }

  @Override
  public String description() {
    return instructions.file() + " attention_forward" + instructions.label();
  }

  @Override
  public boolean runsOn(DeviceInfo device) {
    return instructions.runsOn(device);
  }

  @Override
  public boolean supports(AttentionForward operation, DeviceInfo device) {
    return instructions.supports(operation.attention());
  }

  @Override
  public void prove(Backend backend, LaunchContext context) {
    instructions.prove(backend, context);
  }

  @Override
  public void enqueue(AttentionForward operation, LaunchContext context) {
    TensorAttention attention = new TensorAttention(operation, instructions, context);
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
