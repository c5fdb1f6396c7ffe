package org.sparkformer.training;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.sparkformer.training.CheckpointStore.Guard;

/**
 * The one thread that writes a rank's files. The training thread never waits in a file system for
 * them: Hadoop loses an interrupt there that comes while it runs {@code chmod}, as it does for
 * local files without its native library. Here an interrupt ends the wait, and the closing that
 * follows it ends the work.
 */
final class WriterThread implements AutoCloseable {
  private static final int SECONDS_TO_GIVE_UP = 30;

  private final RunFolder run;
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(
          work -> {
            Thread made = new Thread(work, "sparkformer-writer");
            made.setDaemon(true);
            return made;
          });

  /**
   * @param run whose files are written, for messages
   */
  WriterThread(RunFolder run) {
    this.run = run;
  }

  /** As another guard, as long as what is written here is wanted. */
  Guard guard(Guard owner) {
    return () -> {
      if (thread.isShutdown()) {
        throw new InterruptedIOException("it was given up before it was committed");
      }
      owner.requireOwner();
    };
  }

  /** Starts some work. */
  Future<?> start(Callable<?> work) {
    return thread.submit(work);
  }

  /** Work that needs a file system. */
  interface Work {
    void run() throws IOException;
  }

  /**
   * Has some work done, and waits for it.
   *
   * @throws IOException the work's own
   * @throws InterruptedException if this thread is interrupted; the work goes on until this is
   *     closed
   */
  void finish(Work work) throws IOException, InterruptedException {
    Future<?> started =
        start(
            () -> {
              work.run();
              return null;
            });
    try {
      started.get();
    } catch (ExecutionException failed) {
      if (failed.getCause() instanceof IOException cause) {
        throw cause;
      }
      if (failed.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw (Error) failed.getCause();
    }
  }

  /** Where this thread is interrupted, nothing of the work is committed after this returns. */
  @Override
  public void close() throws IOException {
    boolean interrupted = Thread.interrupted();
    if (interrupted) {
      thread.shutdownNow();
    } else {
      thread.shutdown();
    }
    try {
      awaitEnd();
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void awaitEnd() throws IOException {
    try {
      if (!thread.awaitTermination(SECONDS_TO_GIVE_UP, TimeUnit.SECONDS)) {
        throw new IOException(
            "a file of %s is still being written %d s after its end was asked for"
                .formatted(run.path(), SECONDS_TO_GIVE_UP));
      }
    } catch (InterruptedException again) {
      throw new InterruptedIOException("interrupted while a file was being given up");
    }
  }
}
