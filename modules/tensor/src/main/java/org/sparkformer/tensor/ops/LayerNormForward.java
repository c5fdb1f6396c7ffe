package org.sparkformer.tensor.ops;

import com.aparapi.Kernel;
import org.sparkformer.tensor.Tensor;

/**
 * Residual addition, with dropout of the branch, and layer normalisation in one pass (Ba et al.,
 * arXiv:1607.06450, equation 4).
 *
 * <p>sum = x + dropped(branch); y = (sum - mean) rstd weight + bias, with mean and rstd = 1 /
 * sqrt(variance + epsilon) over each row of length C.
 *
 * @param x [rows, C]
 * @param branch null or [rows, C]; where null, {@code sum} is null too and x itself is normalised
 * @param sum null or [rows, C]
 * @param weight [C]
 * @param bias [C]
 * @param y [rows, C], fp32 or bf16
 * @param mean [rows], kept for the backward pass
 * @param rstd [rows], kept for the backward pass
 * @param dropout of the branch: the same elements, and the same bits, as {@link DropoutApply} on
 *     it; {@link Dropout#NONE} where there is no branch
 */
public record LayerNormForward(
    Tensor x,
    Tensor branch,
    @Output Tensor sum,
    Tensor weight,
    Tensor bias,
    @Output Tensor y,
    @Output Tensor mean,
    @Output Tensor rstd,
    float epsilon,
    Dropout dropout)
    implements Dropping {

  public LayerNormForward {
    Arguments.that(
        (branch == null) == (sum == null), "LayerNormForward", "branch and sum go together");
    Arguments.that(
        branch != null || dropout.isNone(), "LayerNormForward", "dropout needs a branch");
    Arguments.size("LayerNormForward", "branch", branch, x.size());
    Arguments.size("LayerNormForward", "sum", sum, x.size());
    Arguments.size("LayerNormForward", "weight", weight, x.columns());
    Arguments.size("LayerNormForward", "bias", bias, x.columns());
    Arguments.size("LayerNormForward", "y", y, x.size());
    Arguments.size("LayerNormForward", "mean", mean, x.rows());
    Arguments.size("LayerNormForward", "rstd", rstd, x.rows());
  }

  /** Without dropout. */
  public LayerNormForward(
      Tensor x,
      Tensor branch,
      Tensor sum,
      Tensor weight,
      Tensor bias,
      Tensor y,
      Tensor mean,
      Tensor rstd,
      float epsilon) {
    this(x, branch, sum, weight, bias, y, mean, rstd, epsilon, Dropout.NONE);
  }

  public int columns() {
    return x.columns();
  }

  @Override
  public long workItems() {
    return x.rows();
  }

  @Override
  public Kernel definition() {
    return new Definition();
  }

  /** One work-item a row. */
  static final class Definition extends PhiloxKernel {
    float[] x;
    float[] branch;
    float[] sum;
    float[] weight;
    float[] bias;
    float[] y;
    float[] mean;
    float[] rstd;
    int columns;
    float epsilon;
    int branchPresent;
    long firstElement;
    long threshold;
    float keepScale;
    int seedLow;
    int seedHigh;
    int site;
    int step;

    @Override
    public void run() {
      int row = getGlobalId();
      int first = row * columns;
      float total = 0f;
      for (int i = first; i < first + columns; i++) {
        float value = x[i];
        if (branchPresent == 1) {
          float added = branch[i];
          if (threshold > 0) {
            long word = word(firstElement + i, seedLow, seedHigh, site, step);
            added = word >= threshold ? added * keepScale : 0f;
          }
          value += added;
          sum[i] = value;
        }
        total += value;
      }
      float m = total / columns;
      float squares = 0f;
      for (int i = first; i < first + columns; i++) {
        float value = branchPresent == 1 ? sum[i] : x[i];
        squares += (value - m) * (value - m);
      }
      float r = 1f / sqrt(squares / columns + epsilon);
      for (int i = first; i < first + columns; i++) {
        float value = branchPresent == 1 ? sum[i] : x[i];
        y[i] = (value - m) * r * weight[i - first] + bias[i - first];
      }
      mean[row] = m;
      rstd[row] = r;
    }
  }
}
