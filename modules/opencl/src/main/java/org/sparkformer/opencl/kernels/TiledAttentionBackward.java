package org.sparkformer.opencl.kernels;

import java.util.List;
import org.sparkformer.opencl.DeviceInfo;
import org.sparkformer.opencl.Launch;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.opencl.Specialisation;
import org.sparkformer.tensor.ops.AttentionBackward;
import org.sparkformer.tensor.ops.AttentionForward;

/**
 * Gradients of attention by tiles: row sums, then by query, then by key; or by whole heads, where
 * there are enough of them.
 */
public final class TiledAttentionBackward implements Specialisation<AttentionBackward> {
  private final AttentionTiling tiling;

  private TiledAttentionBackward(AttentionTiling tiling) {
    this.tiling = tiling;
  }

  /** For devices with vector units and caches, and those of many threads. */
  public static List<Specialisation<?>> all() {
    return List.of(
        new TiledAttentionBackward(new LaneTiling()),
        new TiledAttentionBackward(new GroupTiling()));
  }

  @Override
  public Class<AttentionBackward> operation() {
    return AttentionBackward.class;
  }

  @Override
  public String description() {
    return tiling.file() + " attention_delta, _backward_query, _backward_key";
  }

  @Override
  public boolean runsOn(DeviceInfo device) {
    return tiling.runsOn(device);
  }

  @Override
  public boolean supports(AttentionBackward operation, DeviceInfo device) {
    return tiling.fits(operation.forward().attention(), device)
        && (tiling.roundsGradients() || !Elements.isBfloat16(operation.dQuery()));
  }

  @Override
  public void enqueue(AttentionBackward operation, LaunchContext context) {
    AttentionLaunch.ofExactGradient(operation, context, exact -> enqueueExact(exact, context));
  }

  /** Of a gradient in fp32. */
  private void enqueueExact(AttentionBackward operation, LaunchContext context) {
    AttentionForward forward = operation.forward();
    boolean heads = tiling.takesHeads(forward, context.device());
    AttentionLaunch byQuery =
        tiling.launch(
            forward, heads ? AttentionPass.BACKWARD_HEAD : AttentionPass.BACKWARD_QUERY, context);
    byQuery.sumRows(operation, context);
    Launch queries =
        saved(byQuery, operation, context)
            .elements(operation.dQuery())
            .number((long) operation.firstQ());
    if (heads) {
      byQuery.over(withKeys(queries, operation));
      return;
    }
    byQuery.over(queries);
    AttentionLaunch byKey = tiling.launch(forward, AttentionPass.BACKWARD_KEY, context);
    byKey.over(withKeys(saved(byKey, operation, context), operation));
  }

  private static Launch withKeys(Launch launch, AttentionBackward operation) {
    return launch
        .elements(operation.dKey())
        .number((long) operation.firstK())
        .elements(operation.dValue())
        .number((long) operation.firstV());
  }

  private static Launch saved(
      AttentionLaunch launch, AttentionBackward operation, LaunchContext context) {
    return launch
        .giving(operation.dQuery())
        .begin(context)
        .tensor(operation.logSumExp())
        .tensor(operation.dy())
        .tensor(operation.delta());
  }
}
