package org.sparkformer.opencl.kernels;

import java.util.List;
import java.util.stream.Stream;
import org.sparkformer.opencl.DeviceInfo;
import org.sparkformer.opencl.Launch;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.opencl.Specialisation;
import org.sparkformer.opencl.kernels.TensorAttention.Rows;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.ops.AttentionBackward;
import org.sparkformer.tensor.ops.AttentionForward;
import org.sparkformer.tensor.ops.Projection;

/** Gradients of attention whose products may round to bf16, on NVIDIA's tensor cores. */
public final class TensorAttentionBackward implements Specialisation<AttentionBackward> {
  private final AttentionTiling sums = new GroupTiling();
  private final TensorInstructions instructions;

  private TensorAttentionBackward(TensorInstructions instructions) {
    this.instructions = instructions;
  }

  public static List<Specialisation<?>> all() {
    return Stream.of(TensorInstructions.values())
        .<Specialisation<?>>map(TensorAttentionBackward::new)
        .toList();
  }

  @Override
  public Class<AttentionBackward> operation() {
    return AttentionBackward.class;
  }

  @Override
  public String description() {
    return instructions.file()
        + " attention_backward_query, _backward_key"
        + instructions.label()
        + ", "
        + sums.file()
        + " attention_delta";
  }

  @Override
  public boolean runsOn(DeviceInfo device) {
    return instructions.runsOn(device);
  }

  @Override
  public boolean supports(AttentionBackward operation, DeviceInfo device) {
    return instructions.supports(operation.forward().attention())
        && sums.fits(operation.forward().attention(), device);
  }

  @Override
  public void prove(Backend backend, LaunchContext context) {
    instructions.prove(backend, context);
  }

  @Override
  public void enqueue(AttentionBackward operation, LaunchContext context) {
    AttentionForward forward = operation.forward();
    sums.launch(forward, AttentionPass.BACKWARD_QUERY, context).sumRows(operation, context);
    TensorAttention attention = new TensorAttention(forward, instructions, context);
    Projection dy = new Projection(operation.dy(), 0, forward.queries());
    try (Rows q = attention.rows(forward.query(), forward.queries());
        Rows k = attention.rows(forward.key(), forward.keys());
        Rows v = attention.rows(forward.value(), forward.keys());
        Rows slope = attention.rows(dy, forward.queries())) {
      byQuery(
          operation,
          attention,
          slope.pass(attention.begin(AttentionPass.BACKWARD_QUERY, operation.dQuery(), q, k, v)));
      byKey(
          operation,
          attention,
          slope.pass(attention.begin(AttentionPass.BACKWARD_KEY, operation.dKey(), q, k, v)));
    }
  }

  private static void byQuery(
      AttentionBackward operation, TensorAttention attention, Launch launch) {
    saved(operation, launch)
        .elements(operation.dQuery())
        .number((long) operation.firstQ())
        .number(operation.strideQ());
    attention.over(AttentionPass.BACKWARD_QUERY, launch);
  }

  private static void byKey(AttentionBackward operation, TensorAttention attention, Launch launch) {
    saved(operation, launch)
        .elements(operation.dKey())
        .number((long) operation.firstK())
        .number(operation.strideK())
        .number(operation.lengthK())
        .elements(operation.dValue())
        .number((long) operation.firstV())
        .number(operation.strideV())
        .number(operation.lengthV());
    attention.over(AttentionPass.BACKWARD_KEY, launch);
  }

  private static Launch saved(AttentionBackward operation, Launch launch) {
    return launch.tensor(operation.logSumExp()).tensor(operation.delta());
  }
}
