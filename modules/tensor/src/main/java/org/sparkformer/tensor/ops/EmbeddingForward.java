package org.sparkformer.tensor.ops;

import com.aparapi.Kernel;
import org.sparkformer.tensor.Tensor;

/**
 * y[r] = tokenWeight[tokens[r]] + positionWeight[firstPosition + r mod T]; without positions, a
 * table's rows by their numbers.
 *
 * @param tokens int32 [B, T]; every token must lie in [0, V), which the data pipeline assures
 * @param tokenWeight [V, C]
 * @param positionWeight null or [contextLength, C]
 * @param y [B T, C]
 * @param firstPosition position of each sequence's first token; not 0 when a key/value cache
 *     already holds the tokens before it
 */
public record EmbeddingForward(
    Tensor tokens, Tensor tokenWeight, Tensor positionWeight, @Output Tensor y, int firstPosition)
    implements Operation {

  public EmbeddingForward {
    Arguments.size("EmbeddingForward", "y", y, tokens.size() * tokenWeight.columns());
    long positions = positionWeight == null ? Long.MAX_VALUE : positionWeight.rows();
    Arguments.that(
        firstPosition + tokens.columns() <= positions,
        "EmbeddingForward",
        "positions up to "
            + (firstPosition + tokens.columns())
            + " exceed the context of "
            + positions);
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
    int positionWeightPresent;

    @Override
    public void run() {
      int i = getGlobalId();
      int row = i / columns;
      int column = i % columns;
      float value = tokenWeight[tokens[row] * columns + column];
      if (positionWeightPresent == 1) {
        value += positionWeight[(firstPosition + row % length) * columns + column];
      }
      y[i] = value;
    }
  }
}
