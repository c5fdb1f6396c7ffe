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

  /** The bare product, without bias and activation, of contents that {@link #content} tells. */
  OpenBlas(MatMul product) {
    this.product = product;
    this.a = new FloatPointer(content(product.a().size()));
    this.b = new FloatPointer(content(product.b().size()));
    this.c = new FloatPointer(content(product.c().size()));
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

  /** Batches one after the other: the batched call of this version is not among those wrapped. */
  private void multiply() {
    for (int i = 0; i < product.batch(); i++) {
      a.position((long) i * product.strideA());
      b.position((long) i * product.strideB());
      c.position((long) i * product.m() * product.n());
      multiplyOne();
    }
  }

  private void multiplyOne() {
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

  /** What the last run gave. */
  float[] result() {
    float[] values = new float[Math.toIntExact(product.c().size())];
    c.position(0).get(values);
    return values;
  }

  /** Of a tensor of so many elements. */
  static float[] content(long size) {
    float[] values = new float[Math.toIntExact(size)];
    for (int i = 0; i < values.length; i++) {
      values[i] = (i % 97) * 1e-3f;
    }
    return values;
  }
}
