package org.sparkformer.data;

import java.io.IOException;

/**
 * Windows of a split in an order that is a pure function of (seed, number): an epoch cuts the split
 * into consecutive windows starting at a phase drawn from (seed, epoch), and visits each once, in
 * an order drawn from (seed, epoch). Documents are not kept apart: a window may hold the end of one
 * and the start of the next, as in GPT-2.
 *
 * @param stride tokens from one window to the next
 * @param length tokens of a window: {@code stride}, or more where windows overlap
 */
record Windows(TokenDataset dataset, Split split, int stride, int length, long seed) {

  /** Windows visited in one epoch: the same number in every epoch, at least one. */
  long perEpoch() {
    return Math.max(1, (dataset.tokens(split) - (length - 1)) / stride);
  }

  /** The position in the split of a window's first token. */
  long position(long number) {
    if (number < 0) {
      throw new IllegalArgumentException("a sample number is not negative: " + number);
    }
    long windows = perEpoch();
    long epoch = number / windows;
    long window = new Permutation(windows, Mixing.mix(seed, 2 * epoch)).apply(number % windows);
    return phase(epoch) + window * stride;
  }

  private long phase(long epoch) {
    long slack = dataset.tokens(split) - (length - stride) - perEpoch() * stride;
    return Long.remainderUnsigned(
        Mixing.mix(seed, 2 * epoch + 1), Math.min(stride - 1L, slack) + 1);
  }

  /** Windows that follow one another from the start of the split. */
  long fixed() {
    return (dataset.tokens(split) - (length - stride)) / stride;
  }

  /** The number among {@link #fixed} of window {@code index} of {@code count} spread evenly. */
  long fixed(long index, long count) {
    if (index < 0 || index >= count) {
      throw new IllegalArgumentException(
          "window %d is not among the %d evaluation windows".formatted(index, count));
    }
    return Math.multiplyExact(index, fixed()) / count;
  }

  /** Reads the window at a position into {@code tokens[first ..]}. */
  void read(long position, int[] tokens, int first) throws IOException {
    dataset.read(split, position, tokens, first, length);
  }
}
