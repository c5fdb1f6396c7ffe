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

  private LayerNormKernels() {}

  public static List<Specialisation<?>> all() {
    return List.of(
        HeldLayerNorm.forward(),
        HeldLayerNorm.backward(),
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
    Dropouts.define(macros, norm);
    withArguments(context.kernel(FILE, "layerNormForward", macros), norm)
        .over(Launch.groups(norm.x().rows(), tunables.get("ROWS")), tunables.get("ITEMS"));
  }

  static Launch withArguments(Launch launch, LayerNormForward norm) {
    launch
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
        .number(norm.branch() == null ? 0 : 1);
    return norm.dropout().isNone() ? launch : Dropouts.pass(launch, norm.dropout());
  }

  private static void backward(LayerNormBackward norm, LaunchContext context) {
    Map<String, Integer> tunables = context.tunables(FILE);
    Map<String, Integer> macros = new HashMap<>(tunables);
    Elements.define(macros, "DY_BF16", norm.dy());
    Dropouts.define(macros, norm);
    withArguments(context.kernel(FILE, "layerNormBackward", macros), norm)
        .over(Launch.groups(norm.x().rows(), tunables.get("ROWS")), tunables.get("ITEMS"));
  }

  static Launch withArguments(Launch launch, LayerNormBackward norm) {
    launch
        .elements(norm.dy())
        .tensor(norm.x())
        .tensor(norm.weight())
        .tensor(norm.mean())
        .tensor(norm.rstd())
        .tensor(norm.dSum())
        .tensor(norm.dx())
        .number(norm.x().rows())
        .number(norm.columns())
        .number(norm.dSum() == null ? 0 : 1);
    return norm.dropout().isNone()
        ? launch
        : Dropouts.pass(launch.tensor(norm.dBranch()), norm.dropout());
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
          .over(
              Launch.groups(2L * norm.columns(), Vectors.SUM_COLUMNS),
              Vectors.itemsOfSums(tunables));
    }
  }

  private static void partials(
      LayerNormWeightBackward norm, Tensor partial, int blocks, LaunchContext context) {
    Map<String, Integer> tunables = context.tunables(FILE);
    Map<String, Integer> macros = new HashMap<>(tunables);
    Elements.define(macros, "DY_BF16", norm.dy());
    context
        .kernel(FILE, "layerNormWeightPartials", macros)
        .elements(norm.dy())
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
