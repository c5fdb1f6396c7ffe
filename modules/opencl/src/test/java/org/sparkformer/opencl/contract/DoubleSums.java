package org.sparkformer.opencl.contract;

import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.ops.MatMul;

/**
 * A product of fp32 with its sums in double precision: near what it truly is, where two chains in
 * fp32, each as far from it as it may be, can lie twice as far from each other.
 */
final class DoubleSums {
  private static final double GELU_SCALE = Math.sqrt(2 / Math.PI);
  private static final double GELU_CUBE = 0.044715;

  private DoubleSums() {}

  /** Writes C, and GELU(C) if it is asked for. */
  static void run(MatMul product, Backend backend) {
    float[] a = backend.readFloats(product.a());
    float[] b = backend.readFloats(product.b());
    float[] c = backend.readFloats(product.c());
    float[] bias = product.bias() == null ? null : backend.readFloats(product.bias());
    float[] activated = new float[c.length];
    for (int at = 0; at < c.length; at++) {
      double sum = (product.accumulate() ? c[at] : 0) + dot(product, a, b, at);
      sum += bias == null ? 0 : bias[at % product.n()];
      c[at] = (float) sum;
      activated[at] = (float) (product.exact() ? exactGelu(sum) : gelu(sum));
    }
    backend.write(product.c(), c);
    if (product.activated() != null) {
      backend.write(product.activated(), activated);
    }
  }

  private static double dot(MatMul product, float[] a, float[] b, int at) {
    int m = product.m();
    int n = product.n();
    int k = product.k();
    int batch = at / (m * n);
    int row = at / n % m;
    int column = at % n;
    int stepA = product.transposeA() ? m : 1;
    int stepB = product.transposeB() ? 1 : n;
    int firstA = batch * product.strideA() + (product.transposeA() ? row : row * k);
    int firstB = batch * product.strideB() + (product.transposeB() ? column * k : column);
    double sum = 0;
    for (int i = 0; i < k; i++) {
      sum += (double) a[firstA + i * stepA] * b[firstB + i * stepB];
    }
    return sum;
  }

  private static double gelu(double x) {
    return x / 2 * (1 + Math.tanh(GELU_SCALE * (x + GELU_CUBE * x * x * x)));
  }

  /**
   * By a series, to some 1e-15: Marsaglia, Evaluating the normal distribution, Journal of
   * Statistical Software 11(4), 2004.
   */
  private static double exactGelu(double x) {
    if (Math.abs(x) > 8) {
      return Math.max(x, 0);
    }
    double term = x;
    double sum = 0;
    for (int i = 3; Math.abs(term) > 1e-17 * Math.abs(sum); i += 2) {
      sum += term;
      term *= x * x / i;
    }
    return x * (0.5 + sum * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI));
  }
}
