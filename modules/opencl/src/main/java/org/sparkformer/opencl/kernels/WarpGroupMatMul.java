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

  /** Beyond the 48 KiB that the driver reports; libxstream ran 128. */
  private static final TensorTiles LARGE = new TensorTiles(128, 128, WARP_ROWS, 128, 64, 3);

  private static final TensorTiles SMALL = new TensorTiles(64, 64, WARP_ROWS, 64, 64, 3);

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
    TensorTiles large = large(context.tunables(FILE));
    TensorMatMul.enqueue(product, context, FILE, large.orIfFew(product, context.device(), SMALL));
  }

  private static TensorTiles large(Map<String, Integer> tunables) {
    int columns = tunables.getOrDefault("COLUMNS", LARGE.columns());
    return new TensorTiles(
        tunables.getOrDefault("ROWS", LARGE.rows()),
        columns,
        WARP_ROWS,
        columns,
        tunables.getOrDefault("STEP", LARGE.step()),
        tunables.getOrDefault("STAGES", LARGE.stages()));
  }

  /** OpenCL C has no such instructions, and no driver promises to load them or so much memory. */
  @Override
  public void prove(Backend backend, LaunchContext context) {
    for (TensorTiles tiles : List.of(large(context.tunables(FILE)), SMALL)) {
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
