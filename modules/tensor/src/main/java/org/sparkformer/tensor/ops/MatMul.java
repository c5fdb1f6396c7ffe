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
 * @param a fp32 or bf16; its rows in memory may be filled up with zeros to whole {@link #LINE}s
 * @param b fp32 or bf16
 * @param c fp32, or bf16 where it is overwritten; where there is no {@code activated}, its rows may
 *     be filled up too, with what the product leaves as it is
 * @param accumulate adds to what C holds instead of overwriting it
 * @param bias null or [N], added to every row
 * @param activated null or shaped as C, fp32 or bf16: receives GELU of C (Hendrycks and Gimpel,
 *     arXiv:1606.08415), before C is rounded, while C keeps the pre-activation
 * @param exact whether GELU(x) is {@code x P(X <= x)}, X standard normal, as it is defined and as
 *     BERT has it (section 2), or its approximation by tanh, as GPT has it
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
    boolean exact,
    DType operands)
    implements Operation {

  /** Elements: 128 bytes of bf16. */
  public static final int LINE = 64;

  public MatMul {
    int innerA = Math.toIntExact(a.shape().extent(transposeA ? -2 : -1));
    int innerB = Math.toIntExact(b.shape().extent(transposeB ? -1 : -2));
    Arguments.that(
        innerA == innerB || !transposeA && innerA == filledUp(innerB),
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
    long columns = b.shape().extent(transposeB ? -2 : -1);
    long rows = rowsOf(a, c, columns, transposeA);
    int widthC = widthOf(c, columns);
    Arguments.size("MatMul", "C", c, batchOf(c) * rows * widthC);
    Arguments.that(
        activated == null || widthC == columns, "MatMul", "rows of C with GELU are filled up");
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
    return new MatMul(a, b, c, transposeA, transposeB, false, null, null, false, DType.FLOAT32);
  }

  /** C += op(A) op(B). */
  public static MatMul adding(
      Tensor a, Tensor b, Tensor c, boolean transposeA, boolean transposeB) {
    return new MatMul(a, b, c, transposeA, transposeB, true, null, null, false, DType.FLOAT32);
  }

  /** The same product of operands rounded to another type. */
  public MatMul with(DType type) {
    return new MatMul(a, b, c, transposeA, transposeB, accumulate, bias, activated, exact, type);
  }

  /** Elements of a row that is filled up to whole lines. */
  public static int filledUp(int columns) {
    return (columns + LINE - 1) / LINE * LINE;
  }

  /** M: as C has them where the rows of A, transposed, are filled up. */
  private static long rowsOf(Tensor a, Tensor c, long columns, boolean transposeA) {
    if (!transposeA) {
      return a.shape().extent(-2);
    }
    long rows = c.size() / (batchOf(c) * widthOf(c, columns));
    return filledUp(Math.toIntExact(rows)) == a.columns() ? rows : a.columns();
  }

  private static int widthOf(Tensor c, long columns) {
    int width = filledUp(Math.toIntExact(columns));
    return c.columns() == width ? width : Math.toIntExact(columns);
  }

  private static long batchOf(Tensor tensor) {
    return tensor.shape().rank() == 3 ? tensor.shape().extent(0) : 1;
  }

  private static boolean batchMatches(Tensor operand, Tensor c) {
    return operand.shape().rank() == 2 || batchOf(operand) == batchOf(c);
  }

  /** M. */
  public int m() {
    return Math.toIntExact(rowsOf(a, c, n(), transposeA));
  }

  /** N. */
  public int n() {
    return Math.toIntExact(b.shape().extent(transposeB ? -2 : -1));
  }

  /** K. */
  public int k() {
    return Math.toIntExact(b.shape().extent(transposeB ? -1 : -2));
  }

  /** Columns of A in memory. */
  public int widthA() {
    return a.columns();
  }

  /** Columns of C in memory. */
  public int widthC() {
    return widthOf(c, n());
  }

  /** Whether rows of A or C are filled up. */
  public boolean isWide() {
    return widthA() > (transposeA ? m() : k()) || widthC() > n();
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
    return a.shape().rank() == 3 ? Math.multiplyExact(transposeA ? k() : m(), widthA()) : 0;
  }

  /** Elements from one B of the batch to the next; 0 where all share one. */
  public int strideB() {
    return b.shape().rank() == 3 ? Math.multiplyExact(k(), n()) : 0;
  }

  @Override
  public long workItems() {
    return (long) batch() * m() * n();
  }

  @Override
  public Kernel definition() {
    return new Definition();
  }

  /** One work-item an element of C. */
  static final class Definition extends NormalKernel {
    float[] a;
    float[] b;
    float[] c;
    float[] bias;
    float[] activated;
    int m;
    int n;
    int k;
    int widthA;
    int widthC;
    int strideA;
    int strideB;
    int transposeA;
    int transposeB;
    int accumulate;
    int rounds;
    int biasPresent;
    int activatedPresent;
    int exact;

    @Override
    public void run() {
      int i = getGlobalId();
      int product = i / (m * n);
      int row = (i / n) % m;
      int column = i % n;
      int atA = product * strideA + (transposeA == 1 ? row : row * widthA);
      int atB = product * strideB + (transposeB == 1 ? column * k : column);
      int stepA = transposeA == 1 ? widthA : 1;
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
      int atC = (product * m + row) * widthC + column;
      if (accumulate == 1) {
        sum += c[atC];
      }
      if (biasPresent == 1) {
        sum += bias[column];
      }
      c[atC] = sum;
      if (activatedPresent == 1) {
        if (exact == 1) {
          activated[atC] = sum * cumulative(sum, exp(-0.5f * sum * sum));
        } else {
          float u = 0.7978845608f * (sum + 0.044715f * sum * sum * sum);
          activated[atC] = 0.5f * sum * (1f + tanh(u));
        }
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
