package org.sparkformer.collective;

import java.time.Duration;

/**
 * What one attempt at a run agrees on before its ranks talk to one another.
 *
 * @param runId identity of the run; frames of another run are dropped
 * @param attempt number of the attempt, not negative; frames of another attempt are dropped
 * @param stepTimeout longest wait for a peer's next frame before the operation fails
 * @param chunkBytes largest payload of a frame, a multiple of 4096, at most 16 MiB
 * @param rule by which exchanges choose their algorithm
 */
public record CollectiveOptions(
    String runId, int attempt, Duration stepTimeout, int chunkBytes, ExchangeRule rule) {
  /**
   * Large enough to hide a frame's cost, small enough to stay in cache from arrival to addition.
   */
  public static final int DEFAULT_CHUNK_BYTES = 256 << 10;

  private static final int CHUNK_UNIT = 4096;
  private static final int LARGEST_CHUNK = 16 << 20;

  public CollectiveOptions {
    if (runId == null || runId.isEmpty() || attempt < 0) {
      throw new IllegalArgumentException(
          "a collective needs a run id and an attempt from 0, got '" + runId + "' and " + attempt);
    }
    if (stepTimeout == null || stepTimeout.isNegative() || stepTimeout.isZero()) {
      throw new IllegalArgumentException("the step timeout must be positive, got " + stepTimeout);
    }
    if (chunkBytes < CHUNK_UNIT || chunkBytes > LARGEST_CHUNK || chunkBytes % CHUNK_UNIT != 0) {
      throw new IllegalArgumentException(
          "chunkBytes must be a multiple of 4096 up to 16 MiB, got " + chunkBytes);
    }
  }

  /** With the defaults. */
  public static CollectiveOptions of(String runId, int attempt, Duration stepTimeout) {
    return new CollectiveOptions(
        runId, attempt, stepTimeout, DEFAULT_CHUNK_BYTES, ExchangeRule.DEFAULT);
  }

  public CollectiveOptions withChunkBytes(int bytes) {
    return new CollectiveOptions(runId, attempt, stepTimeout, bytes, rule);
  }

  public CollectiveOptions withRule(ExchangeRule other) {
    return new CollectiveOptions(runId, attempt, stepTimeout, chunkBytes, other);
  }
}
