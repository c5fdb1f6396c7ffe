package org.sparkformer.opencl.kernels;

import java.util.HashMap;
import java.util.Map;
import org.sparkformer.opencl.Launch;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.tensor.ops.MatMul;

/** The macros and first arguments that the kernels of matrix products share. */
final class MatMulLaunch {
  private MatMulLaunch() {}

  /**
   * A launch with all tensors and extents passed.
   *
   * @param tiles macros of this kernel alone
   */
  static Launch begin(
      MatMul product,
      LaunchContext context,
      String file,
      String kernel,
      Map<String, Integer> tiles) {
    return kernel(product, context, file, kernel, tiles)
        .elements(product.a())
        .elements(product.b())
        .elements(product.c())
        .tensor(product.bias())
        .elements(product.activated())
        .number(product.strideA())
        .number(product.strideB())
        .number(product.m())
        .number(product.n())
        .number(product.k());
  }

  /** A launch of a kernel of the product's program, without arguments. */
  static Launch kernel(
      MatMul product,
      LaunchContext context,
      String file,
      String kernel,
      Map<String, Integer> tiles) {
    return context.kernel(file, kernel, macros(product, tiles));
  }

  private static Map<String, Integer> macros(MatMul product, Map<String, Integer> tiles) {
    Map<String, Integer> macros = ending(product);
    macros.putAll(tiles);
    macros.put("TRANSPOSE_A", product.transposeA() ? 1 : 0);
    macros.put("TRANSPOSE_B", product.transposeB() ? 1 : 0);
    macros.put("ROUNDS", product.rounds() ? 1 : 0);
    Elements.define(macros, "A_BF16", product.a());
    Elements.define(macros, "B_BF16", product.b());
    return macros;
  }

  /** The macros of {@code product.cl}. */
  static Map<String, Integer> ending(MatMul product) {
    Map<String, Integer> macros = new HashMap<>();
    macros.put("ACCUMULATE", product.accumulate() ? 1 : 0);
    macros.put("BIAS", product.bias() == null ? 0 : 1);
    macros.put("GELU", product.activated() == null ? 0 : product.exact() ? 2 : 1);
    Elements.define(macros, "C_BF16", product.c());
    Elements.define(macros, "ACTIVATED_BF16", product.activated());
    return macros;
  }
}
