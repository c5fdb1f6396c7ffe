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
 */
public record LayerNormBackward(
    Tensor dy, Tensor x, Tensor weight, Tensor mean, Tensor rstd, Tensor dSum, @Output Tensor dx)
    implements Operation {

  public LayerNormBackward {
    Arguments.size("LayerNormBackward", "dy", dy, x.size());
    Arguments.size("LayerNormBackward", "weight", weight, x.columns());
    Arguments.size("LayerNormBackward", "mean", mean, x.rows());
    Arguments.size("LayerNormBackward", "rstd", rstd, x.rows());
    Arguments.size("LayerNormBackward", "dSum", dSum, x.size());
    Arguments.size("LayerNormBackward", "dx", dx, x.size());
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
  static final class Definition extends Kernel {
    float[] dy;
    float[] x;
    float[] weight;
    float[] mean;
    float[] rstd;
    float[] dSum;
    float[] dx;
    int columns;
    int dSumPresent;

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
      }
    }
  }
}
