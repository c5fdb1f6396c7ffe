package org.sparkformer.data;

import java.io.IOException;

/**
 * What training reads of a split: sequences with the tokens to be predicted in them, as a pure
 * function of the seed and the global sample number {@code step * batch + index}, whatever the
 * number of ranks and whatever was read before.
 */
public sealed interface Samples permits CausalSamples, MaskedSamples {

  TokenDataset dataset();

  Split split();

  /** T, tokens of a sequence. */
  int context();

  /** P, tokens of a sequence that are to be predicted. */
  int targets();

  /** Reads the sequence of a global sample number. */
  void read(long sample, Sequence into) throws IOException;

  /** Windows that follow one another without overlap from the start of the split. */
  long evaluationWindows();

  /**
   * Reads window {@code index} of {@code count} fixed windows spread evenly over the split, in
   * order. They are distinct while {@code count <= evaluationWindows()}, and cover the split where
   * the two are equal.
   */
  void evaluationWindow(long index, long count, Sequence into) throws IOException;

  /** Room for a sequence. */
  default Sequence sequence() {
    return new Sequence(new int[context()], new int[targets()], new int[targets()]);
  }
}
