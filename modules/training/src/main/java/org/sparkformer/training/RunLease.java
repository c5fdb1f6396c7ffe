package org.sparkformer.training;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * The right to write a run's folder, which one process has at a time, on any Hadoop file system.
 *
 * <p>Its holder has the highest fencing token ({@link WriterFolder}) and gives a sign of life every
 * {@code limit / 12}, so every 5 s at the usual limit of 60 s. Another process takes over when the
 * holder has released the folder, when it ran on the same machine and its process has ended, or
 * when no new sign of life has come during {@code limit}, as the other process's own clock counts
 * it: no two machines' clocks are compared. Where a new sign of life comes, it is refused. A holder
 * that was silent for longer than the limit and goes on finds a higher token than its own at the
 * next commit ({@link LeaseCheck}).
 */
public final class RunLease implements AutoCloseable {
  /** Silence of a holder after which it is taken for gone, unless told otherwise. */
  public static final Duration USUAL_LIMIT = Duration.ofSeconds(60);

  private static final int BEATS_PER_LIMIT = 12;
  private static final int LOOKS_PER_LIMIT = 60;

  private final WriterFolder writers;
  private final long token;
  private final LeaseCheck check;
  private final ScheduledExecutorService heart =
      Executors.newSingleThreadScheduledExecutor(
          work -> {
            Thread made = new Thread(work, "sparkformer-lease");
            made.setDaemon(true);
            return made;
          });
  private long beats;

  private RunLease(WriterFolder writers, long token) {
    this.writers = writers;
    this.token = token;
    this.check = new LeaseCheck(writers.run(), token);
  }

  /**
   * Takes the folder, waiting up to {@code limit} where its last holder has not been heard to end.
   *
   * @param application what the next process is told about this one
   * @param messages told who is waited for
   * @throws RunInUseException if its holder is alive
   */
  public static RunLease acquire(
      RunFolder run, String application, Duration limit, Consumer<String> messages)
      throws IOException {
    WriterFolder writers = WriterFolder.of(run);
    while (true) {
      long newest = writers.newest();
      if (newest > 0) {
        awaitEnd(writers, newest, limit, messages);
      }
      WriterClaim claim = WriterClaim.own(newest + 1, application);
      if (writers.tryClaim(claim)) {
        writers.removeOlder(claim.token());
        return new RunLease(writers, claim.token()).start(limit);
      }
    }
  }

  private static void awaitEnd(
      WriterFolder writers, long token, Duration limit, Consumer<String> messages)
      throws IOException {
    Optional<WriterClaim> holder = writers.claim(token);
    Optional<WriterFolder.Beat> first = writers.beat(token);
    if (isReleased(first) || holder.map(WriterClaim::isGone).orElse(false)) {
      return;
    }
    String name = holder.map(WriterClaim::description).orElse("another run");
    messages.accept(
        "%s was written by %s; waiting up to %d s for a sign of life of it"
            .formatted(writers.run().path(), name, limit.toSeconds()));
    long start = System.nanoTime();
    while (System.nanoTime() - start < limit.toNanos() && writers.newest() == token) {
      pause(limit.dividedBy(LOOKS_PER_LIMIT));
      Optional<WriterFolder.Beat> beat = writers.beat(token);
      if (isReleased(beat)) {
        return;
      }
      if (!Objects.equals(first, beat)) {
        throw new RunInUseException(
            "%s is being written by another run, which is alive: %s. Wait for its end or stop it, or choose another folder"
                .formatted(writers.run().path(), name));
      }
    }
  }

  private static boolean isReleased(Optional<WriterFolder.Beat> beat) {
    return beat.map(WriterFolder.Beat::released).orElse(false);
  }

  private static void pause(Duration time) throws InterruptedIOException {
    try {
      Thread.sleep(Math.max(1, time.toMillis()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted waiting for the last writer of a folder");
    }
  }

  private RunLease start(Duration limit) throws IOException {
    beat();
    long period = beatInterval(limit).toMillis();
    heart.scheduleWithFixedDelay(this::beatIfHeld, period, period, TimeUnit.MILLISECONDS);
    return this;
  }

  private void beat() throws IOException {
    writers.beat(token, beats++, false);
  }

  /** A beat that fails is followed by others; what counts is what a commit finds. */
  private void beatIfHeld() {
    try {
      check.requireOwner();
      beat();
    } catch (RunInUseException lost) {
      heart.shutdown();
    } catch (IOException | RuntimeException unreachable) {
      // The file system may be back for the next beat, long before the limit. Hadoop says some of
      // it unchecked, a host without a name for one; thrown on from here, no beat would follow.
    }
  }

  /** Time between two signs of life. */
  public static Duration beatInterval(Duration limit) {
    return Duration.ofMillis(Math.max(1, limit.toMillis() / BEATS_PER_LIMIT));
  }

  /** Rises with every holder of the folder. */
  public long token() {
    return token;
  }

  /**
   * Looks whether the folder is still this process's.
   *
   * @throws RunInUseException if another process has taken it over
   */
  public void requireHeld() throws IOException {
    check.requireOwner();
  }

  /** Leaves the folder to the next process, which need not wait then. */
  @Override
  public void close() throws IOException {
    heart.shutdown();
    try {
      if (!heart.awaitTermination(10, TimeUnit.SECONDS)) {
        return;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return;
    }
    if (writers.newest() == token) {
      writers.beat(token, beats, true);
    }
  }
}
