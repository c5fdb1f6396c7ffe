package org.sparkformer.training;

import java.io.IOException;
import java.time.Duration;

/**
 * Whether a run's folder still belongs to the writer with a token; asked wherever it is written.
 */
public final class LeaseCheck implements CheckpointStore.Guard {
  private final WriterFolder writers;
  private final long token;
  private volatile long confirmedNanos;
  private volatile boolean confirmed;

  /**
   * @param token of {@link RunLease#token()}
   */
  public LeaseCheck(RunFolder run, long token) {
    this.writers = WriterFolder.of(run);
    this.token = token;
  }

  /**
   * Looks into the folder.
   *
   * @throws RunInUseException if another process has taken it over
   */
  @Override
  public void requireOwner() throws IOException {
    long asked = System.nanoTime();
    long newest = writers.newest();
    if (newest != token) {
      confirmed = false;
      throw new RunInUseException(lost(newest));
    }
    confirmedNanos = asked;
    confirmed = true;
  }

  /**
   * As {@link #requireOwner}, but an answer that is not older than {@code age} will do.
   *
   * @throws RunInUseException if another process has taken the folder over
   */
  public void requireOwnerWithin(Duration age) throws IOException {
    if (!confirmed || System.nanoTime() - confirmedNanos > age.toNanos()) {
      requireOwner();
    }
  }

  private String lost(long newest) throws IOException {
    String other =
        newest == 0
            ? "somebody has removed its folder writer"
            : writers
                .claim(newest)
                .map(claim -> "it was taken over by " + claim.description())
                .orElse("it was taken over by another run");
    return "%s is no longer this run's to write: %s. Nothing more is committed here"
        .formatted(writers.run().path(), other);
  }
}
