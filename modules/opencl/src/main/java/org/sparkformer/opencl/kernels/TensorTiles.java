package org.sparkformer.opencl.kernels;

import java.util.HashMap;
import java.util.Map;
import org.sparkformer.opencl.DeviceInfo;
import org.sparkformer.tensor.ops.MatMul;

/**
 * How {@code matmul_packed.cl} divides a product. None of it changes the bits of the result.
 *
 * @param rows of C in a work-group's tile
 * @param columns of C in it
 * @param warpRows of C that a warp holds
 * @param warpColumns of C that a warp holds
 * @param step of the inner product in a buffer
 * @param stages buffers in local memory
 */
record TensorTiles(int rows, int columns, int warpRows, int warpColumns, int step, int stages) {
  private static final int WARP = 32;

  /** Three buffers of these fill the 48 KiB of local memory that NVIDIA's driver reports. */
  private static final TensorTiles LARGE = new TensorTiles(128, 128, 64, 64, 32, 3);

  private static final TensorTiles SMALL = new TensorTiles(64, 64, 32, 32, 32, 4);

  /**
   * For {@code matmul_tensor.cl}: large tiles, as tuned, where they give each compute unit one at
   * least.
   */
  static TensorTiles of(MatMul product, DeviceInfo device, Map<String, Integer> tunables) {
    TensorTiles large =
        new TensorTiles(
            tunables.getOrDefault("ROWS", LARGE.rows),
            tunables.getOrDefault("COLUMNS", LARGE.columns),
            tunables.getOrDefault("WARP_ROWS", LARGE.warpRows),
            tunables.getOrDefault("WARP_COLUMNS", LARGE.warpColumns),
            tunables.getOrDefault("STEP", LARGE.step),
            tunables.getOrDefault("STAGES", LARGE.stages));
    return large.orIfFew(product, device, SMALL);
  }

  /** These, or smaller ones where these would leave compute units without work. */
  TensorTiles orIfFew(MatMul product, DeviceInfo device, TensorTiles small) {
    return count(product) * product.batch() < device.computeUnits() ? small : this;
  }

  /** Tiles of one product. */
  long count(MatMul product) {
    return (long) Vectors.count(product.m(), rows) * Vectors.count(product.n(), columns);
  }

  /** Work-items of a group. */
  int items() {
    return WARP * (rows / warpRows) * (columns / warpColumns);
  }

  /** The macros of the program. */
  Map<String, Integer> macros() {
    Map<String, Integer> macros = new HashMap<>();
    macros.put("ROWS", rows);
    macros.put("COLUMNS", columns);
    macros.put("WARP_ROWS", warpRows);
    macros.put("WARP_COLUMNS", warpColumns);
    macros.put("STEP", step);
    macros.put("STAGES", stages);
    return macros;
  }
}
