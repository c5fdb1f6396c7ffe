package org.sparkformer.spark;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.hadoop.util.ShutdownHookManager;
import org.apache.spark.SparkContext;

/**
 * Ends Spark in order when the driver's process is told to stop (SIGTERM, SIGINT): executors are
 * dismissed before they can be taken for lost ones.
 */
final class StopSignal implements AutoCloseable {
  /** Before Spark's own hooks, which have 40. */
  private static final int PRIORITY = 60;

  private static final long SECONDS = 20;

  private final AtomicBoolean received = new AtomicBoolean();
  private final Runnable hook;

  StopSignal(SparkContext context) {
    this.hook =
        () -> {
          received.set(true);
          context.stop();
        };
    ShutdownHookManager.get().addShutdownHook(hook, PRIORITY, SECONDS, TimeUnit.SECONDS);
  }

  /** Whether the process is ending; what fails now fails for that reason. */
  boolean received() {
    return received.get();
  }

  @Override
  public void close() {
    if (!ShutdownHookManager.get().isShutdownInProgress()) {
      ShutdownHookManager.get().removeShutdownHook(hook);
    }
  }
}
