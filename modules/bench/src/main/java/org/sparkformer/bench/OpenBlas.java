package org.sparkformer.bench;

import static org.bytedeco.openblas.global.openblas.CblasNoTrans;
import static org.bytedeco.openblas.global.openblas.CblasRowMajor;
import static org.bytedeco.openblas.global.openblas.CblasTrans;
import static org.bytedeco.openblas.global.openblas.cblas_sgemm;
import static org.bytedeco.openblas.global.openblas.openblas_get_corename;
import static org.bytedeco.openblas.global.openblas.openblas_get_num_threads;
import static org.bytedeco.openblas.global.openblas.openblas_set_num_threads;

import org.bytedeco.javacpp.FloatPointer;
import org.sparkformer.tensor.ops.MatMul;

/**
 * OpenBLAS as the peer of matrix products. Which kernels it runs depends on the core type that it
 * finds, or is told by OPENBLAS_CORETYPE; left alone it may pick a generic one, so the table's
 * header names it.
 */
final class OpenBlas {
  private OpenBlas() {}

  static String describe(int threads) {
    openblas_set_num_threads(threads);
    return "OpenBLAS, " + openblas_get_corename().getString() + " kernels, "
        + openblas_get_num_threads() + " threads";
  }

  /** The bare product, without bias and activation. */
  static Rounds.Subject subject(MatMul product) {
    FloatPointer a = filled(product.a().size());
    FloatPointer b = filled(product.b().size());
    FloatPointer c = filled(product.c().size());
    return times -> {
      long begin = System.nanoTime();
      for (int i = 0; i < times; i++) {
        multiply(product, a, b, c);
      }
      return (System.nanoTime() - begin) / 1e6;
    };
  }

  private static void multiply(MatMul product, FloatPointer a, FloatPointer b, FloatPointer c) {
    int m = product.m();
    int n = product.n();
    int k = product.k();
    cblas_sgemm(
        CblasRowMajor,
        product.transposeA() ? CblasTrans : CblasNoTrans,
        product.transposeB() ? CblasTrans : CblasNoTrans,
        m,
        n,
        k,
        1f,
        a,
        product.transposeA() ? m : k,
        b,
        product.transposeB() ? k : n,
        product.accumulate() ? 1f : 0f,
        c,
        n);
  }

  private static FloatPointer filled(long size) {
    FloatPointer pointer = new FloatPointer(size);
    for (long i = 0; i < size; i++) {
      pointer.put(i, (i % 97) * 1e-3f);
    }
    return pointer;
  }
}
