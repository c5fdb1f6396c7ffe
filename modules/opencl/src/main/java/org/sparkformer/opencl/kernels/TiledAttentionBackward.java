package org.sparkformer.opencl.kernels;

import org.sparkformer.opencl.DeviceInfo;
import org.sparkformer.opencl.Launch;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.opencl.Specialisation;
import org.sparkformer.tensor.ops.AttentionBackward;

/** Gradients of attention by {@code attention.cl}: row sums, then by query, then by key. */
public final class TiledAttentionBackward implements Specialisation<AttentionBackward> {

  @Override
  public Class<AttentionBackward> operation() {
    return AttentionBackward.class;
  }

  @Override
  public String description() {
    return AttentionLaunch.FILE + " attention_delta, _backward_query, _backward_key";
  }

  @Override
  public boolean runsOn(DeviceInfo device) {
    return device.kind() == DeviceInfo.Kind.CPU;
  }

  @Override
  public boolean supports(AttentionBackward operation, DeviceInfo device) {
    return AttentionLaunch.fits(operation.forward().attention(), device);
  }

  @Override
  public void enqueue(AttentionBackward operation, LaunchContext context) {
    AttentionLaunch byQuery = AttentionLaunch.of(operation.forward(), operation.queries(), context);
    byQuery
        .delta(context)
        .tensor(operation.y())
        .tensor(operation.dy())
        .tensor(operation.delta())
        .number(operation.queries())
        .over(
            new long[] {operation.heads(), operation.forward().attention().batch()},
            new long[] {1, 1});
    byQuery.over(
        saved(byQuery, "attention_backward_query", operation, context)
            .tensor(operation.dQuery())
            .number((long) operation.firstQ()),
        operation.queries());
    AttentionLaunch byKey = AttentionLaunch.of(operation.forward(), operation.keys(), context);
    byKey.over(
        saved(byKey, "attention_backward_key", operation, context)
            .tensor(operation.dKey())
            .number((long) operation.firstK())
            .tensor(operation.dValue())
            .number((long) operation.firstV()),
        operation.keys());
  }

  private static Launch saved(
      AttentionLaunch launch, String kernel, AttentionBackward operation, LaunchContext context) {
    return launch
        .begin(kernel, context)
        .tensor(operation.logSumExp())
        .tensor(operation.dy())
        .tensor(operation.delta());
  }
}
