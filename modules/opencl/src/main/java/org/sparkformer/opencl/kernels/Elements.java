package org.sparkformer.opencl.kernels;

import java.util.Map;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Tensor;

/** Tells kernels which of their tensors are bf16, by the macros that {@code elements.cl} reads. */
final class Elements {
  private Elements() {}

  /** Whether there is a tensor and it is bf16. */
  static boolean isBfloat16(Tensor tensor) {
    return tensor != null && tensor.dtype() == DType.BFLOAT16;
  }

  /** Defines a macro where a tensor is bf16; it is 0 where it is not defined. */
  static void define(Map<String, Integer> macros, String name, Tensor tensor) {
    if (isBfloat16(tensor)) {
      macros.put(name, 1);
    }
  }
}
