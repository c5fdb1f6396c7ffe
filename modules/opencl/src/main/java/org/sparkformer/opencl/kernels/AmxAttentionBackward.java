package org.sparkformer.opencl.kernels;

import java.util.List;
import org.sparkformer.opencl.DeviceInfo;
import org.sparkformer.opencl.Launch;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.opencl.Specialisation;
import org.sparkformer.opencl.kernels.AmxAttention.Lanes;
import org.sparkformer.opencl.kernels.AmxAttention.Panels;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.ops.AttentionBackward;
import org.sparkformer.tensor.ops.AttentionForward;
import org.sparkformer.tensor.ops.Projection;

/**
 * Gradients of attention on processors with AMX: a head's queries and y's gradients are packed
 * once, for all keys.
 */
public final class AmxAttentionBackward implements Specialisation<AttentionBackward> {
  private final HostArithmetic arithmetic;

  private AmxAttentionBackward(HostArithmetic arithmetic) {
    this.arithmetic = arithmetic;
  }

  /** Of fp32 and of operands that may round to bf16. */
  public static List<Specialisation<?>> all() {
    return List.of(
        new AmxAttentionBackward(HostArithmetic.SPLIT),
        new AmxAttentionBackward(HostArithmetic.TILES));
  }

  @Override
  public Class<AttentionBackward> operation() {
    return AttentionBackward.class;
  }

  @Override
  public String description() {
    return AmxAttention.file(arithmetic) + " attention_delta, _backward_key" + arithmetic.label();
  }

  @Override
  public boolean runsOn(DeviceInfo device) {
    return PackedMatMul.runsOn(arithmetic, device);
  }

  @Override
  public boolean supports(AttentionBackward operation, DeviceInfo device) {
    return AmxAttention.fits(arithmetic, operation.forward().attention(), device)
        && !Elements.isBfloat16(operation.dQuery());
  }

  @Override
  public void prove(Backend backend, LaunchContext context) {
    new PackedMatMul(arithmetic).prove(backend, context);
  }

  @Override
  public void enqueue(AttentionBackward operation, LaunchContext context) {
    AttentionLaunch.ofExactGradient(operation, context, exact -> enqueueExact(exact, context));
  }

  /** Of a gradient in fp32. */
  private void enqueueExact(AttentionBackward operation, LaunchContext context) {
    AttentionForward forward = operation.forward();
    AmxAttention attention =
        new AmxAttention(forward, AttentionPass.BACKWARD_HEAD, arithmetic, context);
    AttentionLaunch launch = attention.launch();
    launch.sumRows(operation, context);
    Projection dy = new Projection(operation.dy(), 0, forward.queries());
    try (Panels q = attention.panels(forward.query(), forward.queries(), Lanes.BOTH);
        Panels slope = attention.panels(dy, forward.queries(), Lanes.BOTH)) {
      Launch begun =
          launch
              .giving(operation.dQuery())
              .begin(context)
              .tensor(operation.logSumExp())
              .tensor(operation.dy())
              .tensor(operation.delta());
      launch.over(
          slope
              .pass(q.pass(begun))
              .elements(operation.dQuery())
              .number((long) operation.firstQ())
              .elements(operation.dKey())
              .number((long) operation.firstK())
              .elements(operation.dValue())
              .number((long) operation.firstV()));
    }
  }
}
