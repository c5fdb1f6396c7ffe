package org.sparkformer.data;

import java.io.IOException;

/**
 * The order in which training reads a split, for the prediction of masked tokens. A sample is a
 * window of {@code context - 2} tokens between {@code [CLS]} and {@code [SEP]}, some of them
 * hidden; windows fill their length and may hold several documents, as in RoBERTa (Liu et al.,
 * arXiv:1907.11692, section 4.2, FULL-SENTENCES). Each epoch hides others.
 *
 * @param targets tokens of a sequence that are hidden, the same number in each, so that a batch's
 *     mean is over the same number on any number of ranks
 */
public record MaskedSamples(TokenDataset dataset, Split split, int context, int targets, long seed)
    implements Samples {
  /** Before and after the text. */
  private static final int ENDS = 2;

  /** Keys of masks: of training beside the sample order's, of evaluation the same for all seeds. */
  private static final long TRAINING = -1;

  private static final long EVALUATION = 0x6d61736bL;

  /**
   * @throws IllegalArgumentException if the tokenizer lacks a special token, or the split holds
   *     less than one window
   */
  public MaskedSamples {
    requireRoom(context, targets);
    MaskTokens.of(dataset.tokenizer());
    long tokens = dataset.tokens(split);
    if (tokens < context - ENDS) {
      throw new IllegalArgumentException(
          "the %s split of %s holds %,d tokens, too few for one window of model.context - 2 = %,d; add text, change the validation fraction, or lower model.context"
              .formatted(split.label(), dataset.uri(), tokens, context - ENDS));
    }
  }

  /** The nearest whole number of tokens to a fraction of a sequence, at least one. */
  public static int targets(int context, double fraction) {
    return (int) Math.max(1, Math.round(fraction * context));
  }

  /**
   * @throws IllegalArgumentException if sequences of a length cannot hide so many tokens
   */
  public static void requireRoom(int context, int targets) {
    if (context <= ENDS || targets < 1 || targets > context - ENDS) {
      throw new IllegalArgumentException(
          "a sequence of model.context = %d tokens, two of them [CLS] and [SEP], cannot hide %d; raise model.context or change data.mask_fraction"
              .formatted(context, targets));
    }
  }

  private Windows windows() {
    return new Windows(dataset, split, context - ENDS, context - ENDS, seed);
  }

  @Override
  public void read(long sample, Sequence into) throws IOException {
    readWindow(windows().position(sample), into);
    hide(Mixing.mix(Mixing.mix(seed, TRAINING), sample), into);
  }

  @Override
  public long evaluationWindows() {
    return windows().fixed();
  }

  @Override
  public void evaluationWindow(long index, long count, Sequence into) throws IOException {
    long window = windows().fixed(index, count);
    readWindow(window * (context - ENDS), into);
    hide(Mixing.mix(EVALUATION, window), into);
  }

  private void readWindow(long position, Sequence into) throws IOException {
    MaskTokens special = MaskTokens.of(dataset.tokenizer());
    into.tokens()[0] = special.start();
    windows().read(position, into.tokens(), 1);
    into.tokens()[context - 1] = special.end();
  }

  private void hide(long key, Sequence into) {
    new Masking(MaskTokens.of(dataset.tokenizer()), dataset.vocabularySize()).hide(key, into);
  }
}
