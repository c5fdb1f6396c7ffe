package org.sparkformer.models;

/**
 * How well a model predicts a text.
 *
 * @param nats sum of the cross-entropies of all predicted tokens
 * @param tokens how many were predicted
 * @param bytes of UTF-8 that these tokens stand for; 0 where it is not known
 */
public record Score(double nats, long tokens, long bytes) {

  public Score {
    if (tokens < 1 || bytes < 0) {
      throw new IllegalArgumentException(
          "a score needs at least one token, given " + tokens + " tokens and " + bytes + " bytes");
    }
  }

  /** Mean cross-entropy of a token, in nats. */
  public double meanLoss() {
    return nats / tokens;
  }

  /** exp of the mean loss: the number of equally likely tokens that would be as hard to tell. */
  public double perplexity() {
    return Math.exp(meanLoss());
  }

  /**
   * Bits of information a byte of text, which compares across tokenizers.
   *
   * @throws IllegalStateException if the number of bytes is not known
   */
  public double bitsPerByte() {
    if (bytes == 0) {
      throw new IllegalStateException("bits per byte need the number of bytes, which is not known");
    }
    return nats / Math.log(2) / bytes;
  }

  /** The score of two texts together. */
  public Score plus(Score other) {
    return new Score(nats + other.nats, tokens + other.tokens, bytes + other.bytes);
  }
}
