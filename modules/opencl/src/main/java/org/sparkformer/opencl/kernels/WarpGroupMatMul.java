package org.sparkformer.opencl.kernels;

import java.util.List;
import java.util.Map;
import org.sparkformer.opencl.DeviceInfo;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.opencl.OpenClException;
import org.sparkformer.opencl.ProductCheck;
import org.sparkformer.opencl.Specialisation;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.ops.MatMul;

/** Matrix products of bf16 operands by {@code matmul_wgmma.cl}, on tensor cores of Hopper. */
public final class WarpGroupMatMul implements Specialisation<MatMul> {
  private static final String FILE = "matmul_wgmma.cl";

  /** Rows that a warp holds of the 64 of its group. */
  private static final int WARP_ROWS = 16;

  /** Beyond the 48 KiB that the driver reports, as are WIDE's 198. */
  private static final TensorTiles LARGE = new TensorTiles(128, 128, WARP_ROWS, 128, 64, 3, 0);

  private static final TensorTiles SMALL = new TensorTiles(64, 64, WARP_ROWS, 64, 64, 3, 0);

  /**
   * Reads least of local memory for each step, and of the caches. A compute unit holds one group of
   * these, so it has nothing to do where the last wave of them leaves it out.
   */
  private static final TensorTiles WIDE = new TensorTiles(192, 256, WARP_ROWS, 256, 32, 6, 1);

  /** Of the compute units, over all waves, that WIDE has to keep at work. */
  private static final double BUSY = 0.85;

  /** Several tiles and steps of each size, and edges. */
  private static final ProductCheck CHECK = new ProductCheck(200, 150, 330);

  @Override
  public Class<MatMul> operation() {
    return MatMul.class;
  }

  @Override
  public String description() {
    return FILE + " matmul_wgmma (bf16 by wgmma)";
  }

  @Override
  public boolean runsOn(DeviceInfo device) {
    return NvidiaDevice.multipliesByWarpGroups(device);
  }

  @Override
  public boolean supports(MatMul operation, DeviceInfo device) {
    return operation.rounds();
  }

  @Override
  public void enqueue(MatMul product, LaunchContext context) {
    TensorMatMul.enqueue(product, context, FILE, tiles(product, context));
  }

  private static TensorTiles tiles(MatMul product, LaunchContext context) {
    boolean divided = TensorTiles.parts(product) > 1;
    boolean wide = !divided && WIDE.busy(product, context.device().computeUnits()) >= BUSY;
    TensorTiles built = wide ? WIDE : LARGE;
    return tuned(built, context.tunables(FILE)).orIfFew(product, context.device(), SMALL);
  }

  private static TensorTiles tuned(TensorTiles built, Map<String, Integer> tunables) {
    int columns = tunables.getOrDefault("COLUMNS", built.columns());
    int stages = tunables.getOrDefault("STAGES", built.stages());
    return new TensorTiles(
        tunables.getOrDefault("ROWS", built.rows()),
        columns,
        WARP_ROWS,
        columns,
        tunables.getOrDefault("STEP", built.step()),
        stages,
        Math.min(tunables.getOrDefault("OPEN", built.open()), stages - 2));
  }

  /** OpenCL C has no such instructions, and no driver promises to load them or so much memory. */
  @Override
  public void prove(Backend backend, LaunchContext context) {
    Map<String, Integer> tunables = context.tunables(FILE);
    prove(backend, context, List.of(tuned(LARGE, tunables), tuned(WIDE, tunables), SMALL));
  }

  /** That the instructions do, for other kernels that have them and take less local memory. */
  static void proveInstructions(Backend backend, LaunchContext context) {
    prove(backend, context, List.of(LARGE));
  }

  private static void prove(Backend backend, LaunchContext context, List<TensorTiles> all) {
    for (TensorTiles tiles : all) {
      boolean right =
          CHECK.isRight(
              backend,
              product -> TensorMatMul.enqueue(product.with(DType.BFLOAT16), context, FILE, tiles));
      if (!right) {
        throw new OpenClException(
            "a product in tiles of %d x %d is wrong".formatted(tiles.rows(), tiles.columns()));
      }
    }
  }
}
