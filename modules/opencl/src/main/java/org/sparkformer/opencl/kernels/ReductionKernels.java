package org.sparkformer.opencl.kernels;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.sparkformer.opencl.DeviceInfo;
import org.sparkformer.opencl.Launch;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.opencl.Specialisation;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.BlockSum;
import org.sparkformer.tensor.ops.ColumnSum;

/** Launches of {@code reduce.cl}. */
public final class ReductionKernels {
  private static final String FILE = "reduce.cl";
  private static final int ALIGNED_WIDTH = 4;

  private ReductionKernels() {}

  public static List<Specialisation<?>> all() {
    return List.of(
        KernelLaunch.of(BlockSum.class, FILE, ReductionKernels::blockSum),
        KernelLaunch.of(ColumnSum.class, FILE + ", two stages", ReductionKernels::columnSum));
  }

  private static void blockSum(BlockSum sum, LaunchContext context) {
    context
        .kernel(FILE, "blockSum")
        .tensor(sum.x())
        .tensor(sum.y())
        .number(sum.x().size())
        .number(sum.squared() ? 1 : 0)
        .over(sum.y().size(), context.tunables(FILE).get("ITEMS"));
  }

  /** Whether a GPU may read whole vectors, which changes no order of summation. */
  private static boolean isAligned(ColumnSum sum, LaunchContext context) {
    return context.device().kind() != DeviceInfo.Kind.CPU
        && sum.x().offset() % ALIGNED_WIDTH == 0
        && sum.width() % ALIGNED_WIDTH == 0
        && sum.columns() % ALIGNED_WIDTH == 0;
  }

  private static void columnSum(ColumnSum sum, LaunchContext context) {
    Map<String, Integer> tunables = context.tunables(FILE);
    Map<String, Integer> macros = new HashMap<>(tunables);
    Elements.define(macros, "X_BF16", sum.x());
    if (isAligned(sum, context)) {
      macros.put("WIDTH", ALIGNED_WIDTH);
      macros.put("ALIGNED", 1);
    }
    int blocks = Math.toIntExact(Launch.groups(sum.rows(), tunables.get("ROW_BLOCK")));
    try (Tensor partial = context.floats((long) blocks * sum.columns())) {
      context
          .kernel(FILE, "columnPartials", macros)
          .elements(sum.x())
          .tensor(partial)
          .number(sum.rows())
          .number(sum.columns())
          .number(sum.width())
          .over(
              new long[] {blocks, Vectors.columnGroups(sum.columns(), macros)},
              new long[] {tunables.get("ITEMS"), 1});
      context
          .kernel(FILE, "columnSum")
          .tensor(partial)
          .tensor(sum.y())
          .number(blocks)
          .number(sum.columns())
          .over(Launch.groups(sum.columns(), Vectors.SUM_COLUMNS), Vectors.itemsOfSums(tunables));
    }
  }
}
