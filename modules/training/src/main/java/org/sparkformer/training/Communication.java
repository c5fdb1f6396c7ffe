package org.sparkformer.training;

import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.sparkformer.collective.CollectiveException;
import org.sparkformer.collective.WirePrecision;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Backend.Mark;
import org.sparkformer.training.configuration.Precision;

/**
 * The one thread on which a rank talks to the others during a step, in the order in which it is
 * given work: every rank then runs the same collective operations in the same order, while the
 * training thread keeps the device busy.
 */
final class Communication implements AutoCloseable {
  private static final int SECONDS_TO_END = 30;

  /** Between two looks at whether the device still computes. */
  static final long LOOK_MILLISECONDS = 1;

  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(
          work -> {
            Thread made = new Thread(work, "sparkformer-communication");
            made.setDaemon(true);
            return made;
          });
  private final AtomicLong busyNanos = new AtomicLong();
  private final AtomicLong heldNanos = new AtomicLong();
  private long weightsNanos;
  private final StepActivity activity;
  private final WirePrecision precision;

  /**
   * @param precision of gradients on their way
   */
  Communication(StepActivity activity, Precision precision) {
    this.activity = activity;
    this.precision = precision == Precision.BF16 ? WirePrecision.BF16 : WirePrecision.FP32;
  }

  WirePrecision precision() {
    return precision;
  }

  /** Queues an exchange. */
  <T> Future<T> submit(Callable<T> exchange) {
    return thread.submit(exchange);
  }

  /**
   * Runs a collective operation on the communication thread and counts its time.
   *
   * @param what it is, for the report of a step that does not end
   */
  void timed(String what, Runnable operation) {
    long since = System.nanoTime();
    activity.beginExchange(what);
    operation.run();
    activity.endExchange();
    busyNanos.addAndGet(System.nanoTime() - since);
  }

  /** Time spent in collective operations since the last call, waiting for other ranks included. */
  long takeBusyNanos() {
    return busyNanos.getAndSet(0);
  }

  /** The training thread had to wait, its device idle, because exchanges have not kept up. */
  void countHeld(long nanos) {
    heldNanos.addAndGet(nanos);
  }

  /** Such time since the last call. */
  long takeHeldNanos() {
    return heldNanos.getAndSet(0);
  }

  /**
   * Waits on the training thread for weights. What of it the device spends idle is counted: from
   * the moment when it has computed what it was given.
   */
  <T> T awaitWeights(Future<T> exchange, Backend backend) {
    Mark given = exchange.isDone() ? null : backend.mark();
    while (!exchange.isDone()) {
      boolean idle = given.isReached();
      long since = System.nanoTime();
      look(exchange);
      if (idle) {
        weightsNanos += System.nanoTime() - since;
      }
    }
    return await(exchange);
  }

  private static void look(Future<?> exchange) {
    try {
      exchange.get(LOOK_MILLISECONDS, TimeUnit.MILLISECONDS);
    } catch (InterruptedException interrupted) {
      throw interrupted("waiting for weights", interrupted);
    } catch (ExecutionException | TimeoutException seenLater) {
      // Whoever asked looks again.
    }
  }

  /** Time counted by {@link #awaitWeights} since the last call. */
  long takeWeightsNanos() {
    long nanos = weightsNanos;
    weightsNanos = 0;
    return nanos;
  }

  /**
   * Waits on the training thread.
   *
   * @throws CollectiveException if this thread is interrupted
   */
  static <T> T await(Future<T> exchange) {
    try {
      return exchange.get();
    } catch (InterruptedException interrupted) {
      throw interrupted("waiting for other ranks", interrupted);
    } catch (ExecutionException failed) {
      throw rethrown(failed.getCause());
    }
  }

  static CollectiveException interrupted(String during, InterruptedException cause) {
    Thread.currentThread().interrupt();
    return new CollectiveException("interrupted while " + during, cause);
  }

  private static RuntimeException rethrown(Throwable cause) {
    if (cause instanceof Error error) {
      throw error;
    }
    if (cause instanceof RuntimeException exception) {
      return exception;
    }
    return new CollectiveException("the exchange with other ranks failed", cause);
  }

  /** Whether the thread has ended. */
  boolean isOver() {
    return thread.isTerminated();
  }

  /** Gives up what is still to be done, and waits for the thread. */
  @Override
  public void close() {
    thread.shutdownNow();
    try {
      if (!thread.awaitTermination(SECONDS_TO_END, TimeUnit.SECONDS)) {
        throw new CollectiveException(
            "an exchange with other ranks goes on %d s after its end was asked for"
                .formatted(SECONDS_TO_END));
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
