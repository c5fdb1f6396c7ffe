package org.sparkformer.data;

import java.io.IOException;

/**
 * The order in which training reads a split, for next-token prediction. A sample is a window of
 * {@code context + 1} tokens; inputs are its first, targets its last {@code context}.
 *
 * <p>The global sample number is {@code step * batch + index}; a window is a pure function of
 * (seed, sample number), so it depends neither on the number of ranks nor on what was read before.
 * An epoch cuts the split into consecutive windows starting at a phase drawn from (seed, epoch),
 * and visits each once, in an order drawn from (seed, epoch). Documents are not kept apart: a
 * window may hold the end of one and the start of the next, as in GPT-2.
 */
public record CausalSamples(TokenDataset dataset, Split split, int context, long seed) {

  /**
   * @throws IllegalArgumentException if the split holds fewer than {@code context + 1} tokens
   */
  public CausalSamples {
    if (context < 1) {
      throw new IllegalArgumentException("context must be at least 1, not " + context);
    }
    long tokens = dataset.tokens(split);
    if (tokens < context + 1L) {
      throw new IllegalArgumentException(
          "the %s split of %s holds %,d tokens, too few for one window of model.context + 1 = %,d; "
                  .formatted(split.label(), dataset.uri(), tokens, context + 1L)
              + "add text, change the validation fraction, or lower model.context");
    }
  }

  /** Windows visited in one epoch: the same number in every epoch, at least one. */
  public long samplesPerEpoch() {
    return Math.max(1, (dataset.tokens(split) - context) / context);
  }

  /** Reads the window of a global sample number into {@code tokens[0 .. context]}. */
  public void read(long sample, int[] tokens) throws IOException {
    dataset.read(split, position(sample), tokens, 0, context + 1);
  }

  /** The position in the split of the first token of a sample. */
  public long position(long sample) {
    if (sample < 0) {
      throw new IllegalArgumentException("a sample number is not negative: " + sample);
    }
    long samples = samplesPerEpoch();
    long epoch = sample / samples;
    long window = new Permutation(samples, Mixing.mix(seed, 2 * epoch)).apply(sample % samples);
    return phase(epoch) + window * context;
  }

  private long phase(long epoch) {
    long slack = dataset.tokens(split) - 1 - samplesPerEpoch() * context;
    return Long.remainderUnsigned(
        Mixing.mix(seed, 2 * epoch + 1), Math.min(context - 1L, slack) + 1);
  }

  /** Windows that follow one another without overlap from the start of the split. */
  public long evaluationWindows() {
    return (dataset.tokens(split) - 1) / context;
  }

  /**
   * Reads window {@code index} of {@code count} fixed windows spread evenly over the split, in
   * order. They are distinct while {@code count <= evaluationWindows()}, and cover the split where
   * the two are equal.
   */
  public void evaluationWindow(long index, long count, int[] tokens) throws IOException {
    if (index < 0 || index >= count) {
      throw new IllegalArgumentException(
          "window %d is not among the %d evaluation windows".formatted(index, count));
    }
    long window = Math.multiplyExact(index, evaluationWindows()) / count;
    dataset.read(split, window * context, tokens, 0, context + 1);
  }
}
