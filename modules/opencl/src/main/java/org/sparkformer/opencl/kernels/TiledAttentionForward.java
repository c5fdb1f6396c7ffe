package org.sparkformer.opencl.kernels;

import java.util.List;
import org.sparkformer.opencl.DeviceInfo;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.opencl.Specialisation;
import org.sparkformer.tensor.ops.AttentionForward;

/** Attention by tiles, in the way of either kind of device. */
public final class TiledAttentionForward implements Specialisation<AttentionForward> {
  private final AttentionTiling tiling;

  private TiledAttentionForward(AttentionTiling tiling) {
    this.tiling = tiling;
  }

  /** For devices with vector units and caches, and those of many threads. */
  public static List<Specialisation<?>> all() {
    return List.of(
        new TiledAttentionForward(new LaneTiling()), new TiledAttentionForward(new GroupTiling()));
  }

  @Override
  public Class<AttentionForward> operation() {
    return AttentionForward.class;
  }

  @Override
  public String description() {
    return tiling.file() + " attention_forward";
  }

  @Override
  public boolean runsOn(DeviceInfo device) {
    return tiling.runsOn(device);
  }

  @Override
  public boolean supports(AttentionForward operation, DeviceInfo device) {
    return tiling.fits(operation.attention(), device);
  }

  @Override
  public void enqueue(AttentionForward operation, LaunchContext context) {
    AttentionLaunch byQuery = tiling.launch(operation, AttentionPass.FORWARD, context);
    byQuery.over(byQuery.begin(context).elements(operation.y()).tensor(operation.logSumExp()));
  }
}
