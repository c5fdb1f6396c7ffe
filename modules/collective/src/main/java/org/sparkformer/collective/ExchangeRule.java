package org.sparkformer.collective;

/**
 * Which algorithm an exchange takes: a function of the number of ranks R and the vector's bytes S
 * alone, so that all ranks choose alike. With a seconds of latency and b bytes a second, a rank
 * spends about
 *
 * <pre>
 * one shot   a + (R - 1) S / b
 * direct    2a + 2 (R - 1) / R S / b   in R - 1 streams at once, each way
 * ring       R a + the same            gathering in one stream, each way
 * </pre>
 *
 * <p>So one shot is worth it while the (R - 1) S bytes that it sends take about as long as the
 * round that it spares, and beyond that it costs processor time as well, for everyone adds up
 * everything. A ring spares no time in this reckoning. It spares what is not in it: R - 1 peers
 * that send to one rank at once, up to {@link Reduction#LOOKAHEAD} frames each, overflow the
 * buffers of switches and fill the rank's memory. That matters among many ranks, and for shares of
 * a frame and more: smaller ones are one frame a peer, and a ring waits longer for each than it
 * takes to send. The module's README has what was measured.
 *
 * @param oneShotBytes most bytes that a rank may send in one shot
 * @param directRanks up to so many ranks exchange vectors of any length directly
 * @param ringShare bytes of a rank's share of the vector from which more of them do round a ring
 */
public record ExchangeRule(long oneShotBytes, int directRanks, long ringShare) {
  public static final ExchangeRule DEFAULT =
      new ExchangeRule(128 << 10, 16, CollectiveOptions.DEFAULT_CHUNK_BYTES);

  public ExchangeRule {
    if (directRanks < 1) {
      throw new IllegalArgumentException("directRanks must be at least 1, got " + directRanks);
    }
  }

  /** One algorithm for everything, to compare it with others; one shot gathers directly. */
  public static ExchangeRule always(Algorithm algorithm) {
    return switch (algorithm) {
      case ONE_SHOT -> new ExchangeRule(Long.MAX_VALUE, Integer.MAX_VALUE, 0);
      case DIRECT -> new ExchangeRule(-1, Integer.MAX_VALUE, 0);
      case RING -> new ExchangeRule(-1, 1, 0);
    };
  }

  public ExchangeRule withDirectRanks(int most) {
    return new ExchangeRule(oneShotBytes, most, ringShare);
  }

  /** Of the sum of a vector of so many bytes, which all ranks are to have. */
  Algorithm allReduce(int ranks, long bytes) {
    return (ranks - 1L) * bytes <= oneShotBytes ? Algorithm.ONE_SHOT : allGather(ranks, bytes);
  }

  /** Of a vector of so many bytes, of which every rank has its share. */
  Algorithm allGather(int ranks, long bytes) {
    return ranks <= directRanks || bytes / ranks < ringShare ? Algorithm.DIRECT : Algorithm.RING;
  }
}
