package org.sparkformer.opencl.kernels;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.sparkformer.opencl.Launch;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.opencl.Specialisation;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.LayerNormBackward;
import org.sparkformer.tensor.ops.LayerNormForward;
import org.sparkformer.tensor.ops.LayerNormWeightBackward;

/** Launches of {@code layernorm.cl}. */
public final class LayerNormKernels {
  private static final String FILE = "layernorm.cl";
  private static final int COLUMN_GROUP = 64;

  private LayerNormKernels() {}

  public static List<Specialisation<?>> all() {
    return List.of(
        KernelLaunch.of(LayerNormForward.class, FILE, LayerNormKernels::forward),
        KernelLaunch.of(LayerNormBackward.class, FILE, LayerNormKernels::backward),
        KernelLaunch.of(
            LayerNormWeightBackward.class,
            FILE + ", two stages",
            LayerNormKernels::weightBackward));
  }

  private static void forward(LayerNormForward norm, LaunchContext context) {
    Map<String, Integer> tunables = context.tunables(FILE);
    Map<String, Integer> macros = new HashMap<>(tunables);
    Elements.define(macros, "Y_BF16", norm.y());
    context
        .kernel(FILE, "layerNormForward", macros)
        .tensor(norm.x())
        .tensor(norm.branch())
        .tensor(norm.sum())
        .tensor(norm.weight())
        .tensor(norm.bias())
        .elements(norm.y())
        .tensor(norm.mean())
        .tensor(norm.rstd())
        .number(norm.x().rows())
        .number(norm.columns())
        .number(norm.epsilon())
        .number(norm.branch() == null ? 0 : 1)
        .over(Launch.groups(norm.x().rows(), tunables.get("ROWS")), tunables.get("ITEMS"));
  }

  private static void backward(LayerNormBackward norm, LaunchContext context) {
    Map<String, Integer> tunables = context.tunables(FILE);
    context
        .kernel(FILE, "layerNormBackward")
        .tensor(norm.dy())
        .tensor(norm.x())
        .tensor(norm.weight())
        .tensor(norm.mean())
        .tensor(norm.rstd())
        .tensor(norm.dSum())
        .tensor(norm.dx())
        .number(norm.x().rows())
        .number(norm.columns())
        .number(norm.dSum() == null ? 0 : 1)
        .over(Launch.groups(norm.x().rows(), tunables.get("ROWS")), tunables.get("ITEMS"));
  }

  private static void weightBackward(LayerNormWeightBackward norm, LaunchContext context) {
    Map<String, Integer> tunables = context.tunables(FILE);
    int blocks = Math.toIntExact(Launch.groups(norm.rows(), tunables.get("ROW_BLOCK")));
    try (Tensor partial = context.floats(2L * blocks * norm.columns())) {
      partials(norm, partial, blocks, context);
      context
          .kernel(FILE, "layerNormWeightBackward")
          .tensor(partial)
          .tensor(norm.dWeight())
          .tensor(norm.dBias())
          .number(blocks)
          .number(norm.columns())
          .over(Launch.groups(norm.columns(), COLUMN_GROUP), COLUMN_GROUP);
    }
  }

  private static void partials(
      LayerNormWeightBackward norm, Tensor partial, int blocks, LaunchContext context) {
    Map<String, Integer> tunables = context.tunables(FILE);
    context
        .kernel(FILE, "layerNormWeightPartials")
        .tensor(norm.dy())
        .tensor(norm.x())
        .tensor(norm.mean())
        .tensor(norm.rstd())
        .tensor(partial)
        .number(norm.rows())
        .number(norm.columns())
        .over(
            new long[] {blocks, Vectors.columnGroups(norm.columns(), tunables)},
            new long[] {tunables.get("ITEMS"), 1});
  }
}
