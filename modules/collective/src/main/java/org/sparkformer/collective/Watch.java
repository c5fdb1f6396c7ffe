package org.sparkformer.collective;

import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Tells the other ranks what this one is doing, and ends the collective where it does not move. A
 * rank that waits in an operation is not judged here: there the wait for a frame has its own end.
 */
final class Watch implements AutoCloseable {
  private static final Duration LONGEST_BEAT = Duration.ofSeconds(1);
  private static final int BEATS_IN_TIMEOUT = 5;

  private final TreeCollective collective;
  private final Activity activity;
  private final Duration timeout;
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(
          work -> {
            Thread made = new Thread(work, "sparkformer-watch");
            made.setDaemon(true);
            return made;
          });

  Watch(TreeCollective collective, Activity activity, Duration timeout) {
    this.collective = collective;
    this.activity = activity;
    this.timeout = timeout;
  }

  Watch start() {
    Duration part = timeout.dividedBy(BEATS_IN_TIMEOUT);
    long beat = Math.max(1, (part.compareTo(LONGEST_BEAT) < 0 ? part : LONGEST_BEAT).toMillis());
    thread.scheduleWithFixedDelay(this::beat, 0, beat, TimeUnit.MILLISECONDS);
    return this;
  }

  private void beat() {
    collective.notices().activity(activity.description());
    Duration still = activity.stillness();
    if (still.compareTo(timeout) > 0 && collective.idle().compareTo(timeout) > 0) {
      thread.shutdown();
      collective.abandon("has not moved for " + Inbox.seconds(still) + " s", activity);
    }
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
