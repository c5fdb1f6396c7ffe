package org.sparkformer.tensor.ops;

import com.aparapi.Kernel;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Tensor;

/**
 * Matrix product with fused epilogue: C = op(A) op(B) (+ C) (+ bias), activated = GELU(C).
 *
 * <p>op(A) is [M, K], op(B) is [K, N], C is [M, N], all row-major; with {@code transposeA} A is
 * stored as [K, M], with {@code transposeB} B as [N, K]. With a leading axis (rank 3) the products
 * are batched; an operand of rank 2 is then shared by the whole batch.
 *
 * @param a fp32 or bf16
 * @param b fp32 or bf16
 * @param c fp32, or bf16 where it is overwritten
 * @param accumulate adds to what C holds instead of overwriting it
 * @param bias null or [N], added to every row
 * @param activated null or shaped as C, fp32 or bf16: receives GELU of C, before C is rounded, in
 *     its tanh form (Hendrycks and Gimpel, arXiv:1606.08415), while C keeps the pre-activation
 * @param operands FLOAT32, or BFLOAT16: elements of A and B are rounded to it before they are
 *     multiplied (the others stay in fp32, and so do all sums)
 */
public record MatMul(
    Tensor a,
    Tensor b,
    @Output Tensor c,
    boolean transposeA,
    boolean transposeB,
    boolean accumulate,
    Tensor bias,
    @Output Tensor activated,
    DType operands)
    implements Operation {

  public MatMul {
    int innerA = Math.toIntExact(a.shape().extent(transposeA ? -2 : -1));
    int innerB = Math.toIntExact(b.shape().extent(transposeB ? -1 : -2));
    Arguments.that(
        innerA == innerB,
        "MatMul",
        "A "
            + a.shape()
            + " and B "
            + b.shape()
            + " do not share their inner extent (transposed: "
            + transposeA
            + ", "
            + transposeB
            + ")");
    long rows = a.shape().extent(transposeA ? -1 : -2);
    long columns = b.shape().extent(transposeB ? -2 : -1);
    Arguments.size("MatMul", "C", c, batchOf(c) * rows * columns);
    Arguments.that(batchMatches(a, c) && batchMatches(b, c), "MatMul", "batch extents differ");
    Arguments.that(
        !accumulate || c.dtype() == DType.FLOAT32,
        "MatMul",
        "C is added to and cannot be " + c.dtype());
    Arguments.size("MatMul", "bias", bias, columns);
    Arguments.size("MatMul", "activated", activated, c.size());
    Arguments.that(
        operands == DType.FLOAT32 || operands == DType.BFLOAT16,
        "MatMul",
        "operands cannot be " + operands);
  }

  /** C = op(A) op(B). */
  public static MatMul of(Tensor a, Tensor b, Tensor c, boolean transposeA, boolean transposeB) {
    return new MatMul(a, b, c, transposeA, transposeB, false, null, null, DType.FLOAT32);
  }

  /** C += op(A) op(B). */
  public static MatMul adding(
      Tensor a, Tensor b, Tensor c, boolean transposeA, boolean transposeB) {
    return new MatMul(a, b, c, transposeA, transposeB, true, null, null, DType.FLOAT32);
  }

  /** The same product of operands rounded to another type. */
  public MatMul with(DType type) {
    return new MatMul(a, b, c, transposeA, transposeB, accumulate, bias, activated, type);
  }

  private static long batchOf(Tensor tensor) {
    return tensor.shape().rank() == 3 ? tensor.shape().extent(0) : 1;
  }

  private static boolean batchMatches(Tensor operand, Tensor c) {
    return operand.shape().rank() == 2 || batchOf(operand) == batchOf(c);
  }

  /** M. */
  public int m() {
    return Math.toIntExact(a.shape().extent(transposeA ? -1 : -2));
  }

  /** N. */
  public int n() {
    return Math.toIntExact(b.shape().extent(transposeB ? -2 : -1));
  }

  /** K. */
  public int k() {
    return Math.toIntExact(a.shape().extent(transposeA ? -2 : -1));
  }

  /** Number of products. */
  public int batch() {
    return Math.toIntExact(batchOf(c));
  }

  /** Whether the operands are rounded to bf16. */
  public boolean rounds() {
    return operands == DType.BFLOAT16;
  }

  /** Elements from one A of the batch to the next; 0 where all share one. */
  public int strideA() {
    return a.shape().rank() == 3 ? Math.multiplyExact(m(), k()) : 0;
  }

  /** Elements from one B of the batch to the next; 0 where all share one. */
  public int strideB() {
    return b.shape().rank() == 3 ? Math.multiplyExact(k(), n()) : 0;
  }

  @Override
  public long workItems() {
    return c.size();
  }

  @Override
  public Kernel definition() {
    return new Definition();
  }

  /** One work-item an element of C. */
  static final class Definition extends Kernel {
    float[] a;
    float[] b;
    float[] c;
    float[] bias;
    float[] activated;
    int m;
    int n;
    int k;
    int strideA;
    int strideB;
    int transposeA;
    int transposeB;
    int accumulate;
    int rounds;
    int biasPresent;
    int activatedPresent;

    @Override
    public void run() {
      int i = getGlobalId();
      int product = i / (m * n);
      int row = (i / n) % m;
      int column = i % n;
      int atA = product * strideA + (transposeA == 1 ? row : row * k);
      int atB = product * strideB + (transposeB == 1 ? column * k : column);
      int stepA = transposeA == 1 ? m : 1;
      int stepB = transposeB == 1 ? 1 : n;
      int end = atA + k * stepA;
      float sum = 0f;
      if (rounds == 1) {
        while (atA < end) {
          sum += rounded(a[atA]) * rounded(b[atB]);
          atA += stepA;
          atB += stepB;
        }
      } else {
        while (atA < end) {
          sum += a[atA] * b[atB];
          atA += stepA;
          atB += stepB;
        }
      }
      if (accumulate == 1) {
        sum += c[i];
      }
      if (biasPresent == 1) {
        sum += bias[column];
      }
      c[i] = sum;
      if (activatedPresent == 1) {
        float u = 0.7978845608f * (sum + 0.044715f * sum * sum * sum);
        activated[i] = 0.5f * sum * (1f + tanh(u));
      }
    }

    /**
     * To the 8 bits of bf16, to nearest and ties to even: Dekker, A floating-point technique for
     * extending the available precision, 1971 (splitting). Right wherever 2^16 x does not overflow.
     */
    private float rounded(float x) {
      float scaled = 65537f * x;
      return scaled - (scaled - x);
    }
  }
}
