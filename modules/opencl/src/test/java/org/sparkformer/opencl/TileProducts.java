package org.sparkformer.opencl;

import org.sparkformer.opencl.kernels.HostArithmetic;
import org.sparkformer.opencl.kernels.PackedMatMul;
import org.sparkformer.tensor.ops.MatMul;

/**
 * Products by AMX's tiles; on processors without AMX the kernels do its instructions in OpenCL C.
 */
public final class TileProducts {
  private static final PackedMatMul PRODUCTS = new PackedMatMul(HostArithmetic.TILES);

  private TileProducts() {}

  /** Whether tiles are for this product. */
  public static boolean take(MatMul product, OpenClBackend backend) {
    return PRODUCTS.supports(product, backend.device());
  }

  public static void run(MatMul product, OpenClBackend backend) {
    PRODUCTS.enqueue(product, backend.launches());
  }
}
