package org.sparkformer.tensor.ops;

import com.aparapi.Kernel;
import org.sparkformer.tensor.Tensor;

/**
 * Gradient of {@link LayerNormForward} for the normalised rows: with n = (x - mean) rstd and g = dy
 * weight, dx = rstd (g - mean(g) - n mean(g n)) + dSum.
 *
 * @param dy [rows, C], fp32 or bf16
 * @param x [rows, C]: what was normalised ({@code sum} where there was a branch)
 * @param dSum null or [rows, C]: the gradient that reaches x past the normalisation
 * @param dx [rows, C], overwritten; may be dSum
 * @param dBranch null where nothing was dropped: then the branch's gradient is dx. Else [rows, C],
 *     overwritten with dx scaled where the branch was kept, 0 where it was dropped
 * @param dropout of the forward pass
 */
public record LayerNormBackward(
    Tensor dy,
    Tensor x,
    Tensor weight,
    Tensor mean,
    Tensor rstd,
    Tensor dSum,
    @Output Tensor dx,
    @Output Tensor dBranch,
    Dropout dropout)
    implements Dropping {

  public LayerNormBackward {
    Arguments.size("LayerNormBackward", "dy", dy, x.size());
    Arguments.size("LayerNormBackward", "weight", weight, x.columns());
    Arguments.size("LayerNormBackward", "mean", mean, x.rows());
    Arguments.size("LayerNormBackward", "rstd", rstd, x.rows());
    Arguments.size("LayerNormBackward", "dSum", dSum, x.size());
    Arguments.size("LayerNormBackward", "dx", dx, x.size());
    Arguments.size("LayerNormBackward", "dBranch", dBranch, x.size());
    Arguments.that(
        (dBranch == null) == dropout.isNone(),
        "LayerNormBackward",
        "dBranch and dropout go together");
  }

  /** Without dropout. */
  public LayerNormBackward(
      Tensor dy, Tensor x, Tensor weight, Tensor mean, Tensor rstd, Tensor dSum, Tensor dx) {
    this(dy, x, weight, mean, rstd, dSum, dx, null, Dropout.NONE);
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
    float[] dy;
    float[] x;
    float[] weight;
    float[] mean;
    float[] rstd;
    float[] dSum;
    float[] dx;
    float[] dBranch;
    int columns;
    int dSumPresent;
    int dBranchPresent;
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
      float m = mean[row];
      float r = rstd[row];
      float sumG = 0f;
      float sumGN = 0f;
      for (int i = first; i < first + columns; i++) {
        float g = dy[i] * weight[i - first];
        sumG += g;
        sumGN += g * (x[i] - m) * r;
      }
      for (int i = first; i < first + columns; i++) {
        float g = dy[i] * weight[i - first];
        float gradient = r * (g - sumG / columns - (x[i] - m) * r * sumGN / columns);
        if (dSumPresent == 1) {
          gradient += dSum[i];
        }
        dx[i] = gradient;
        if (dBranchPresent == 1) {
          long word = word(firstElement + i, seedLow, seedHigh, site, step);
          dBranch[i] = word >= threshold ? gradient * keepScale : 0f;
        }
      }
    }
  }
}
