package org.sparkformer.opencl.kernels;

import org.sparkformer.opencl.DeviceInfo;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.opencl.Specialisation;
import org.sparkformer.tensor.ops.AttentionForward;

/** Attention by {@code attention.cl}, for devices with vector units and caches. */
public final class TiledAttentionForward implements Specialisation<AttentionForward> {

  @Override
  public Class<AttentionForward> operation() {
    return AttentionForward.class;
  }

  @Override
  public String description() {
    return AttentionLaunch.FILE + " attention_forward";
  }

  @Override
  public boolean runsOn(DeviceInfo device) {
    return device.kind() == DeviceInfo.Kind.CPU;
  }

  @Override
  public boolean supports(AttentionForward operation, DeviceInfo device) {
    return AttentionLaunch.fits(operation.attention(), device);
  }

  @Override
  public void enqueue(AttentionForward operation, LaunchContext context) {
    AttentionLaunch byQuery = AttentionLaunch.of(operation, operation.queries(), context);
    byQuery.over(
        byQuery
            .begin("attention_forward", context)
            .tensor(operation.y())
            .tensor(operation.logSumExp()),
        operation.queries());
  }
}
