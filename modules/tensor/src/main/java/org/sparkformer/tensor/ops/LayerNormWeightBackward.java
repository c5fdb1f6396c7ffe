package org.sparkformer.tensor.ops;

import com.aparapi.Kernel;
import org.sparkformer.tensor.Tensor;

/**
 * Gradients of layer normalisation's weight and bias, added to what the outputs hold: dWeight[c] +=
 * sum over rows of dy n, dBias[c] += sum over rows of dy, with n = (x - mean) rstd.
 *
 * @param dy [rows, C], fp32 or bf16
 * @param x [rows, C]: what was normalised
 */
public record LayerNormWeightBackward(
    Tensor dy, Tensor x, Tensor mean, Tensor rstd, @Output Tensor dWeight, @Output Tensor dBias)
    implements Operation {

  public LayerNormWeightBackward {
    Arguments.size("LayerNormWeightBackward", "dy", dy, x.size());
    Arguments.size("LayerNormWeightBackward", "mean", mean, x.rows());
    Arguments.size("LayerNormWeightBackward", "rstd", rstd, x.rows());
    Arguments.size("LayerNormWeightBackward", "dWeight", dWeight, x.columns());
    Arguments.size("LayerNormWeightBackward", "dBias", dBias, x.columns());
  }

  public int rows() {
    return x.rows();
  }

  public int columns() {
    return x.columns();
  }

  @Override
  public long workItems() {
    return columns();
  }

  @Override
  public Kernel definition() {
    return new Definition();
  }

  /** One work-item a column. */
  static final class Definition extends Kernel {
    float[] dy;
    float[] x;
    float[] mean;
    float[] rstd;
    float[] dWeight;
    float[] dBias;
    int rows;
    int columns;

    @Override
    public void run() {
      int column = getGlobalId();
      float sumWeight = 0f;
      float sumBias = 0f;
      for (int row = 0; row < rows; row++) {
        int i = row * columns + column;
        sumWeight += dy[i] * (x[i] - mean[row]) * rstd[row];
        sumBias += dy[i];
      }
      dWeight[column] += sumWeight;
      dBias[column] += sumBias;
    }
  }
}
