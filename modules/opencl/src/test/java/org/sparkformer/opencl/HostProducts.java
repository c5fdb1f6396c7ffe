package org.sparkformer.opencl;

import org.sparkformer.opencl.kernels.HostArithmetic;
import org.sparkformer.opencl.kernels.PackedMatMul;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.ops.MatMul;

/**
 * Products by instructions that processors have or not; on those without the kernels do them in
 * OpenCL C.
 */
public record HostProducts(HostArithmetic arithmetic, OpenClBackend backend) {

  /** Whether the arithmetic is for this product. */
  public boolean take(MatMul product) {
    return new PackedMatMul(arithmetic).supports(product, backend.device());
  }

  /** Whether a backend runs this product by it, of kernels that come first where they can. */
  public boolean areChosenFor(MatMul product) {
    PackedMatMul kernel = new PackedMatMul(arithmetic);
    return kernel.runsOn(backend.device()) && kernel.supports(product, backend.device());
  }

  /** What is asked of it when a backend is opened. */
  public void prove(Backend results) {
    new PackedMatMul(arithmetic).prove(results, backend.launches());
  }

  public void run(MatMul product) {
    new PackedMatMul(arithmetic).enqueue(product, backend.launches());
  }
}
