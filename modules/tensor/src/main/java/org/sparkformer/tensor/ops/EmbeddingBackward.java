package org.sparkformer.tensor.ops;

import com.aparapi.Kernel;
import org.sparkformer.tensor.Tensor;

/**
 * Gradients of {@link EmbeddingForward}, added to what the outputs hold: the scatter-add runs over
 * the rows in their order, so that the sums are the same every time.
 *
 * @param tokens int32 [B, T]
 * @param dy [B T, C]
 * @param dTokenWeight [V, C]
 * @param dPositionWeight null or [contextLength, C]; sequences start at position 0
 */
public record EmbeddingBackward(
    Tensor tokens, Tensor dy, @Output Tensor dTokenWeight, @Output Tensor dPositionWeight)
    implements Operation {

  public EmbeddingBackward {
    Arguments.size("EmbeddingBackward", "dy", dy, tokens.size() * dTokenWeight.columns());
    Arguments.that(
        dPositionWeight == null || tokens.columns() <= dPositionWeight.rows(),
        "EmbeddingBackward",
        "sequence too long");
  }

  /** B T. */
  public int rows() {
    return Math.toIntExact(tokens.size());
  }

  /** T. */
  public int length() {
    return tokens.columns();
  }

  /** C. */
  public int columns() {
    return dTokenWeight.columns();
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
    int[] tokens;
    float[] dy;
    float[] dTokenWeight;
    float[] dPositionWeight;
    int rows;
    int length;
    int columns;
    int dPositionWeightPresent;

    @Override
    public void run() {
      int column = getGlobalId();
      for (int row = 0; row < rows; row++) {
        float gradient = dy[row * columns + column];
        dTokenWeight[tokens[row] * columns + column] += gradient;
        if (dPositionWeightPresent == 1) {
          dPositionWeight[(row % length) * columns + column] += gradient;
        }
      }
    }
  }
}
