package org.sparkformer.tensor.ops;

/**
 * Which elements a dropout site drops: a pure function of its counter, so that it can be replayed
 * in the backward pass, after a restart and on any number of ranks.
 *
 * <p>Element i of a tensor has the global number e = {@code firstElement} + i. Its random word is
 * word e mod 4 of Philox4x32-10 (Salmon et al., SC 2011) with the key (low, high half of {@code
 * seed}) and the counter (low, high half of e / 4, {@code site}, {@code step}). It is kept where
 * the word, read as unsigned, is at least {@code probability} 2^32, and scaled by 1 / (1 -
 * probability).
 *
 * @param probability of being dropped, in [0, 1)
 * @param site which dropout of the model this is
 * @param firstElement global number of the tensor's first element: (first sample of the micro-batch
 *     in the global batch) times (elements of one sample)
 */
public record Dropout(float probability, long seed, int step, int site, long firstElement) {

  /** Drops nothing. */
  public static final Dropout NONE = new Dropout(0f, 0, 0, 0, 0);

  public Dropout {
    Arguments.that(probability >= 0f && probability < 1f, "Dropout", "probability " + probability);
  }

  /** Whether it drops nothing. */
  public boolean isNone() {
    return probability == 0f;
  }

  /** Smallest random word that is kept. */
  public long threshold() {
    return (long) Math.ceil(probability * 4294967296.0);
  }

  /** Factor of the kept elements. */
  public float scale() {
    return 1f / (1f - probability);
  }

  public int seedLow() {
    return (int) seed;
  }

  public int seedHigh() {
    return (int) (seed >>> 32);
  }
}
