package org.sparkformer.collective;

import java.time.Duration;

/**
 * What one attempt at a run agrees on before its ranks talk to one another.
 *
 * @param runId identity of the run; frames of another run are dropped
 * @param attempt number of the attempt, not negative; frames of another attempt are dropped
 * @param stepTimeout longest wait for a peer's next frame before the operation fails
 * @param longestSilence after which a rank that is watched and no longer says what it is doing is
 *     taken for lost
 * @param chunkBytes largest payload of a frame, a multiple of 4096, at most 16 MiB
 * @param rule by which exchanges choose their algorithm
 */
public record CollectiveOptions(
    String runId,
    int attempt,
    Duration stepTimeout,
    Duration longestSilence,
    int chunkBytes,
    ExchangeRule rule) {
  /**
   * Large enough to hide a frame's cost, small enough to stay in cache from arrival to addition.
   */
  public static final int DEFAULT_CHUNK_BYTES = 256 << 10;

  /**
   * Of a rank that speaks once a second, whatever it computes: its process is stopped then, or its
   * host or network is gone.
   */
  private static final Duration LONGEST_SILENCE = Duration.ofSeconds(30);

  private static final int CHUNK_UNIT = 4096;
  private static final int LARGEST_CHUNK = 16 << 20;

  public CollectiveOptions {
    if (runId == null || runId.isEmpty() || attempt < 0) {
      throw new IllegalArgumentException(
          "a collective needs a run id and an attempt from 0, got '" + runId + "' and " + attempt);
    }
    requirePositive("the step timeout", stepTimeout);
    requirePositive("the longest silence", longestSilence);
    if (chunkBytes < CHUNK_UNIT || chunkBytes > LARGEST_CHUNK || chunkBytes % CHUNK_UNIT != 0) {
      throw new IllegalArgumentException(
          "chunkBytes must be a multiple of 4096 up to 16 MiB, got " + chunkBytes);
    }
  }

  /** With the defaults: no silence is longer than the step timeout. */
  public static CollectiveOptions of(String runId, int attempt, Duration stepTimeout) {
    requirePositive("the step timeout", stepTimeout);
    Duration silence = stepTimeout.compareTo(LONGEST_SILENCE) < 0 ? stepTimeout : LONGEST_SILENCE;
    return new CollectiveOptions(
        runId, attempt, stepTimeout, silence, DEFAULT_CHUNK_BYTES, ExchangeRule.DEFAULT);
  }

  public CollectiveOptions withLongestSilence(Duration silence) {
    return new CollectiveOptions(runId, attempt, stepTimeout, silence, chunkBytes, rule);
  }

  public CollectiveOptions withChunkBytes(int bytes) {
    return new CollectiveOptions(runId, attempt, stepTimeout, longestSilence, bytes, rule);
  }

  public CollectiveOptions withRule(ExchangeRule other) {
    return new CollectiveOptions(runId, attempt, stepTimeout, longestSilence, chunkBytes, other);
  }

  private static void requirePositive(String what, Duration duration) {
    if (duration == null || duration.isNegative() || duration.isZero()) {
      throw new IllegalArgumentException(what + " must be positive, got " + duration);
    }
  }
}
