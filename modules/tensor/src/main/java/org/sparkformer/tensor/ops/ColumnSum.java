package org.sparkformer.tensor.ops;

import com.aparapi.Kernel;
import org.sparkformer.tensor.Tensor;

/**
 * y[c] += sum over r of x[r, c]: the gradient of a bias.
 *
 * @param x [rows, columns or more], fp32 or bf16
 * @param y [columns], fp32
 */
public record ColumnSum(Tensor x, @Output Tensor y) implements Operation {

  public ColumnSum {
    Arguments.that(y.size() <= x.columns(), "ColumnSum", "y is longer than rows of x");
  }

  public int rows() {
    return x.rows();
  }

  public int columns() {
    return Math.toIntExact(y.size());
  }

  /** Columns of x in memory. */
  public int width() {
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

  static final class Definition extends Kernel {
    float[] x;
    float[] y;
    int rows;
    int width;

    @Override
    public void run() {
      int column = getGlobalId();
      float sum = 0f;
      for (int row = 0; row < rows; row++) {
        sum += x[row * width + column];
      }
      y[column] += sum;
    }
  }
}
