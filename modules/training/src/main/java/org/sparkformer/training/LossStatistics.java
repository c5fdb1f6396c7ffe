package org.sparkformer.training;

/**
 * Running mean and variance of the losses so far: over all of them at first, later with weights
 * that fall off exponentially (West, "Updating mean and variance estimates", CACM 1979). Spikes and
 * losses that are not finite are no part of it, so it stays finite.
 *
 * @param count losses seen, at most the window
 * @param mean in nats a token
 * @param variance of the losses round their mean
 */
public record LossStatistics(int count, double mean, double variance) {
  /** Before the first loss. */
  public static final LossStatistics NONE = new LossStatistics(0, 0, 0);

  /**
   * Whether a loss stands out; never before a window of losses has been seen.
   *
   * @param sigma deviations above the mean that make a spike
   * @param window losses that the mean reaches back
   */
  boolean isSpike(double loss, double sigma, int window) {
    return count >= window && loss > mean + sigma * Math.sqrt(variance);
  }

  /** With another loss, which is no spike. */
  LossStatistics with(double loss, int window) {
    if (!Double.isFinite(loss)) {
      return this;
    }
    int seen = Math.min(count + 1, window);
    double weight = 1.0 / seen;
    double difference = loss - mean;
    return new LossStatistics(
        seen,
        mean + weight * difference,
        (1 - weight) * (variance + weight * difference * difference));
  }
}
