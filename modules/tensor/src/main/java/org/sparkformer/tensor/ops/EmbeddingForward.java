package org.sparkformer.tensor.ops;

import com.aparapi.Kernel;
import org.sparkformer.tensor.Tensor;

/**
 * y[r] = tokenWeight[tokens[r]] + positionWeight[firstPosition + r mod T].
 *
 * @param tokens int32 [B, T]; every token must lie in [0, V), which the data pipeline assures
 * @param tokenWeight [V, C]
 * @param positionWeight [contextLength, C]
 * @param y [B T, C]
 * @param firstPosition position of each sequence's first token; not 0 when a key/value cache
 *     already holds the tokens before it
 */
public record EmbeddingForward(
    Tensor tokens, Tensor tokenWeight, Tensor positionWeight, @Output Tensor y, int firstPosition)
    implements Operation {

  public EmbeddingForward {
    Arguments.size("EmbeddingForward", "y", y, tokens.size() * tokenWeight.columns());
    Arguments.that(
        firstPosition + tokens.columns() <= positionWeight.rows(),
        "EmbeddingForward",
        "positions up to "
            + (firstPosition + tokens.columns())
            + " exceed the context of "
            + positionWeight.rows());
  }

  /** T. */
  public int length() {
    return tokens.columns();
  }

  /** C. */
  public int columns() {
    return tokenWeight.columns();
  }

  @Override
  public long workItems() {
    return y.size();
  }

  @Override
  public Kernel definition() {
    return new Definition();
  }

  static final class Definition extends Kernel {
    int[] tokens;
    float[] tokenWeight;
    float[] positionWeight;
    float[] y;
    int length;
    int columns;
    int firstPosition;

    @Override
    public void run() {
      int i = getGlobalId();
      int row = i / columns;
      int column = i % columns;
      int position = firstPosition + row % length;
      y[i] =
          tokenWeight[tokens[row] * columns + column] + positionWeight[position * columns + column];
    }
  }
}
