package org.sparkformer.training;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** Writes checkpoints on a thread of its own, one at a time. */
final class CheckpointWriter implements AutoCloseable {
  private static final int SECONDS_TO_GIVE_UP = 30;

  private final CheckpointStore store;
  private final CheckpointStore.Guard guard;
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(
          work -> {
            Thread made = new Thread(work, "sparkformer-checkpoint");
            made.setDaemon(true);
            return made;
          });
  private Future<?> pending;
  private int pendingStep;

  CheckpointWriter(CheckpointStore store, CheckpointStore.Guard guard) {
    this.store = store;
    this.guard = guard;
  }

  /** Starts writing; the one before must have been awaited. */
  void start(int step, List<CheckpointFile> files) {
    if (pending != null) {
      throw new IllegalStateException("the checkpoint of step " + pendingStep + " is not awaited");
    }
    pendingStep = step;
    pending =
        thread.submit(
            () -> {
              store.write(step, files, guard);
              return null;
            });
  }

  /**
   * The step whose checkpoint has been committed since the last call; does not wait.
   *
   * @throws IOException if it could not be written
   */
  OptionalInt poll() throws IOException, InterruptedException {
    return pending != null && pending.isDone() ? await() : OptionalInt.empty();
  }

  /** Waits for the checkpoint being written, if any; else as {@link #poll}. */
  OptionalInt await() throws IOException, InterruptedException {
    if (pending == null) {
      return OptionalInt.empty();
    }
    Future<?> awaited = pending;
    try {
      awaited.get();
      pending = null;
      return OptionalInt.of(pendingStep);
    } catch (ExecutionException failed) {
      pending = null;
      throw new IOException(
          "cannot write the checkpoint of step %d to %s: %s"
              .formatted(
                  pendingStep, store.folder(pendingStep).path(), failed.getCause().getMessage()),
          failed.getCause());
    }
  }

  /**
   * Lets the last checkpoint finish; where this thread is interrupted, has it given up instead, so
   * that nothing of it is committed after this returns.
   */
  @Override
  public void close() throws IOException {
    try {
      await();
    } catch (InterruptedException interrupted) {
      giveUp();
      Thread.currentThread().interrupt();
    } finally {
      thread.shutdown();
    }
  }

  private void giveUp() throws IOException {
    thread.shutdownNow();
    try {
      if (!thread.awaitTermination(SECONDS_TO_GIVE_UP, TimeUnit.SECONDS)) {
        throw new IOException(
            "the checkpoint of step %d is still being written %d s after its end was asked for"
                .formatted(pendingStep, SECONDS_TO_GIVE_UP));
      }
    } catch (InterruptedException again) {
      throw new InterruptedIOException("interrupted while a checkpoint was being given up");
    }
  }
}
