package org.sparkformer.models.generation;

import java.util.Arrays;
import org.sparkformer.tensor.Philox;

/**
 * Draws tokens from logits; every draw is a pure function of the seed, its number and the logits.
 */
final class Sampler {
  private static final int INDEX_BITS = 32;

  private final SamplingOptions options;
  private long draws;

  Sampler(SamplingOptions options) {
    this.options = options;
  }

  /**
   * The next token.
   *
   * @throws IllegalStateException if no logit is a number, or one is not
   */
  int next(float[] logits) {
    int likeliest = likeliest(logits);
    if (options.temperature() == 0) {
      return likeliest;
    }
    int[] candidates = candidates(logits);
    double[] weights = new double[candidates.length];
    double total = 0;
    for (int i = 0; i < weights.length; i++) {
      double difference = (double) logits[candidates[i]] - logits[likeliest];
      weights[i] = StrictMath.exp(difference / options.temperature());
      total += weights[i];
    }
    return candidates[draw(weights, total)];
  }

  private static int likeliest(float[] logits) {
    int best = 0;
    for (int i = 0; i < logits.length; i++) {
      if (Float.isNaN(logits[i])) {
        throw new IllegalStateException("the model's logit of token " + i + " is not a number");
      }
      best = logits[i] > logits[best] ? i : best;
    }
    if (Float.isInfinite(logits[best])) {
      throw new IllegalStateException("the model's largest logit is " + logits[best]);
    }
    return best;
  }

  /** Tokens to draw from, likeliest first where only some are; of equals the lower comes first. */
  private int[] candidates(float[] logits) {
    boolean all = options.topK() == 0 && options.topP() == 1;
    long[] keys = new long[logits.length];
    for (int token = 0; token < keys.length; token++) {
      keys[token] = all ? token : descending(logits[token]) << INDEX_BITS | token;
    }
    if (!all) {
      Arrays.sort(keys);
    }
    int count = options.topK() == 0 ? keys.length : Math.min(options.topK(), keys.length);
    return Arrays.stream(keys, 0, count).mapToInt(key -> (int) key).toArray();
  }

  /** A number that sorts as the negated float does. */
  private static long descending(float value) {
    int bits = Float.floatToIntBits(value + 0f); // + 0 makes one zero of the two
    return ~(bits ^ bits >> 31 & Integer.MAX_VALUE);
  }

  /** Index of the drawn weight, after cutting the tail beyond top-p. */
  private int draw(double[] weights, double total) {
    double kept = total;
    if (options.topP() < 1) {
      kept = 0;
      for (int i = 0; i < weights.length && kept < options.topP() * total; i++) {
        kept += weights[i];
      }
    }
    double target = uniform() * kept;
    double sum = 0;
    for (int i = 0; i < weights.length; i++) {
      sum += weights[i];
      if (target < sum) {
        return i;
      }
    }
    return 0;
  }

  /** 53 random bits in [0, 1). */
  private double uniform() {
    int[] words = new int[4];
    Philox.block(draws++, 0, 0, options.seed(), words);
    return ((words[0] >>> 5) * 0x1p26 + (words[1] >>> 6)) * 0x1p-53;
  }
}
