package org.sparkformer.bench;

import static org.bytedeco.openblas.global.openblas.CblasNoTrans;
import static org.bytedeco.openblas.global.openblas.CblasRowMajor;
import static org.bytedeco.openblas.global.openblas.CblasTrans;
import static org.bytedeco.openblas.global.openblas.OPENBLAS_VERSION;
import static org.bytedeco.openblas.global.openblas.cblas_sgemm;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.openblas.presets.openblas_nolapack;
import org.sparkformer.tensor.ops.MatMul;

/** OpenBLAS as the peer of matrix products, by the kernels that {@link OpenBlasKernels} names. */
final class OpenBlas implements Rounds.Subject, AutoCloseable {
  private final MatMul product;
  private final FloatPointer a;
  private final FloatPointer b;
  private final FloatPointer c;

  /** The bare product, without bias and activation. */
  OpenBlas(MatMul product) {
    this.product = product;
    this.a = filled(product.a().size());
    this.b = filled(product.b().size());
    this.c = filled(product.c().size());
  }

  /** Its version and the kernels that it runs. */
  static String name() {
    return OPENBLAS_VERSION.strip() + " " + OpenBlasKernels.name();
  }

  static void useThreads(int threads) {
    openblas_nolapack.blas_set_num_threads(threads);
  }

  @Override
  public double applyAsDouble(int times) {
    long begin = System.nanoTime();
    for (int i = 0; i < times; i++) {
      multiply();
    }
    return (System.nanoTime() - begin) / 1e6;
  }

  @Override
  public void close() {
    a.close();
    b.close();
    c.close();
  }

  private void multiply() {
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
