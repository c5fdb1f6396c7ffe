package org.sparkformer.opencl.kernels;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.sparkformer.opencl.Launch;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.opencl.Specialisation;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.BlockSum;
import org.sparkformer.tensor.ops.ColumnSum;

/** Launches of {@code reduce.cl}. */
public final class ReductionKernels {
  private static final String FILE = "reduce.cl";
  private static final int COLUMN_GROUP = 64;

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

  private static void columnSum(ColumnSum sum, LaunchContext context) {
    Map<String, Integer> tunables = context.tunables(FILE);
    Map<String, Integer> macros = new HashMap<>(tunables);
    Elements.define(macros, "X_BF16", sum.x());
    int blocks = Math.toIntExact(Launch.groups(sum.rows(), tunables.get("ROW_BLOCK")));
    try (Tensor partial = context.floats((long) blocks * sum.columns())) {
      context
          .kernel(FILE, "columnPartials", macros)
          .elements(sum.x())
          .tensor(partial)
          .number(sum.rows())
          .number(sum.columns())
          .over(
              new long[] {blocks, Vectors.columnGroups(sum.columns(), tunables)},
              new long[] {tunables.get("ITEMS"), 1});
      context
          .kernel(FILE, "columnSum")
          .tensor(partial)
          .tensor(sum.y())
          .number(blocks)
          .number(sum.columns())
          .over(Launch.groups(sum.columns(), COLUMN_GROUP), COLUMN_GROUP);
    }
  }
}
