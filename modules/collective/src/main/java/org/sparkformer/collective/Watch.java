package org.sparkformer.collective;

import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Tells the other ranks what this one is doing, and ends the collective where it does not move, or
 * where another rank has fallen silent. That this one waits in an operation is not judged here:
 * there the wait for a frame has its own end.
 */
final class Watch implements AutoCloseable {
  private static final Duration LONGEST_BEAT = Duration.ofSeconds(1);
  private static final int BEATS_IN_SILENCE = 5;

  private final TreeCollective collective;
  private final Activity activity;
  private final Duration timeout;
  private final Duration longestSilence;
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(
          work -> {
            Thread made = new Thread(work, "sparkformer-watch");
            made.setDaemon(true);
            return made;
          });

  Watch(TreeCollective collective, Activity activity, CollectiveOptions options) {
    this.collective = collective;
    this.activity = activity;
    this.timeout = options.stepTimeout();
    this.longestSilence = options.longestSilence();
  }

  Watch start() {
    Duration part = longestSilence.dividedBy(BEATS_IN_SILENCE);
    long beat = Math.max(1, (part.compareTo(LONGEST_BEAT) < 0 ? part : LONGEST_BEAT).toMillis());
    thread.scheduleWithFixedDelay(this::beat, 0, beat, TimeUnit.MILLISECONDS);
    return this;
  }

  private void beat() {
    collective.notices().activity(activity.description());
    collective.inbox().requireSignsOfLife(longestSilence);
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
