package org.sparkformer.opencl.kernels;

import java.util.List;
import org.sparkformer.opencl.DeviceInfo;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.opencl.Specialisation;
import org.sparkformer.opencl.kernels.AmxAttention.Lanes;
import org.sparkformer.opencl.kernels.AmxAttention.Panels;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.ops.AttentionForward;

/** Attention on processors with AMX: a head's keys and values are packed once, for all queries. */
public final class AmxAttentionForward implements Specialisation<AttentionForward> {
  private final HostArithmetic arithmetic;

  private AmxAttentionForward(HostArithmetic arithmetic) {
    this.arithmetic = arithmetic;
  }

  /** Of fp32 and of operands that may round to bf16. */
  public static List<Specialisation<?>> all() {
    return List.of(
        new AmxAttentionForward(HostArithmetic.SPLIT),
        new AmxAttentionForward(HostArithmetic.TILES));
  }

  @Override
  public Class<AttentionForward> operation() {
    return AttentionForward.class;
  }

  @Override
  public String description() {
    return AmxAttention.file(arithmetic) + " attention_forward" + arithmetic.label();
  }

  @Override
  public boolean runsOn(DeviceInfo device) {
    return PackedMatMul.runsOn(arithmetic, device);
  }

  @Override
  public boolean supports(AttentionForward operation, DeviceInfo device) {
    return AmxAttention.fits(arithmetic, operation.attention(), device);
  }

  @Override
  public void prove(Backend backend, LaunchContext context) {
    new PackedMatMul(arithmetic).prove(backend, context);
  }

  @Override
  public void enqueue(AttentionForward operation, LaunchContext context) {
    AmxAttention attention =
        new AmxAttention(operation, AttentionPass.FORWARD, arithmetic, context);
    AttentionLaunch launch = attention.launch();
    try (Panels k = attention.panels(operation.key(), operation.keys(), Lanes.ROWS);
        Panels v = attention.panels(operation.value(), operation.keys(), Lanes.DEPTH)) {
      launch.over(
          v.pass(k.pass(launch.begin(context)))
              .elements(operation.y())
              .tensor(operation.logSumExp()));
    }
  }
}
