package org.sparkformer.spark;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.util.ShutdownHookManager;
import org.apache.spark.SparkContext;

/**
 * Ends a run in order when the driver's process is told to stop (SIGTERM, SIGINT): ranks that train
 * get a grace period to write a checkpoint, then executors are dismissed before they can be taken
 * for lost ones.
 */
final class StopSignal implements AutoCloseable {
  /** Before Spark's own hooks, which have 40, and before those that close file systems. */
  private static final int PRIORITY = 60;

  private static final long SECONDS_TO_DISMISS = 20;

  private final SparkContext context;
  private final Duration grace;
  private final CountDownLatch ended = new CountDownLatch(1);
  private final Runnable hook = this::stop;
  private volatile boolean received;
  private volatile boolean training;

  /**
   * @param grace how long ranks may take to end training
   */
  StopSignal(SparkContext context, Duration grace) {
    this.context = context;
    this.grace = grace;
    ShutdownHookManager.get()
        .addShutdownHook(hook, PRIORITY, grace.toSeconds() + SECONDS_TO_DISMISS, TimeUnit.SECONDS);
  }

  private void stop() {
    received = true;
    try {
      if (training) {
        ended.await(grace.toMillis(), TimeUnit.MILLISECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      context.stop();
    }
  }

  /** Ranks are at work from now on: they ask whether they are to stop. */
  void trainingBegins() {
    training = true;
  }

  /** Whether the process is ending; what fails now fails for that reason. */
  boolean received() {
    return received;
  }

  /** Training has ended, and everything is said that is to be said of it. */
  @Override
  public void close() {
    ended.countDown();
    if (!ShutdownHookManager.get().isShutdownInProgress()) {
      ShutdownHookManager.get().removeShutdownHook(hook);
    }
  }
}
