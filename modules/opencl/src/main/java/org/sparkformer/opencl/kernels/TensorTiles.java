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
 * @param open of {@code matmul_wgmma.cl}: steps still being multiplied while the next one starts
 */
record TensorTiles(
    int rows, int columns, int warpRows, int warpColumns, int step, int stages, int open) {
  private static final int WARP = 32;
  private static final int LARGEST_STEP = 64;

  /** Work-groups that an H100 runs at once, two on each of its 132 compute units. */
  private static final long WAVE = 264;

  private static final int SHALLOWEST_PART = 1024;

  /** Three buffers of these fill the 48 KiB of local memory that NVIDIA's driver reports. */
  private static final TensorTiles LARGE = new TensorTiles(128, 128, 64, 64, 32, 3, 0);

  private static final TensorTiles SMALL = new TensorTiles(64, 64, 32, 32, 32, 4, 0);

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
            tunables.getOrDefault("STAGES", LARGE.stages),
            0);
    return large.orIfFew(product, device, SMALL);
  }

  /** These, or smaller ones where these would leave compute units without work. */
  TensorTiles orIfFew(MatMul product, DeviceInfo device, TensorTiles small) {
    return groups(product) < device.computeUnits() ? small : this;
  }

  /** Work-groups of a product and all its {@link #parts}. */
  long groups(MatMul product) {
    return count(product) * product.batch() * parts(product);
  }

  /** The part of {@code units} that one group each keeps at work, over all waves of them. */
  double busy(MatMul product, long units) {
    long groups = groups(product);
    long waves = (groups + units - 1) / units;
    return (double) groups / (waves * units);
  }

  /**
   * Parts that the inner product is divided into and summed one by one, since a small C would leave
   * compute units without work. They change last bits, so they follow from the extents alone.
   */
  static int parts(MatMul product) {
    long tiles = LARGE.count(product) * product.batch();
    return (int) Math.max(1, Math.min(WAVE / tiles, product.k() / SHALLOWEST_PART));
  }

  /** Elements of the inner product in each part but those at the end, which have fewer or none. */
  static int partDepth(MatMul product) {
    return Vectors.count(Vectors.count(product.k(), parts(product)), LARGEST_STEP) * LARGEST_STEP;
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
    macros.put("OPEN", open);
    return macros;
  }
}
