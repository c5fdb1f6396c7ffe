package org.sparkformer.training;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.sparkformer.collective.Collective;
import org.sparkformer.collective.CollectiveException;

/**
 * Writes a rank's files of checkpoints beside training, one checkpoint at a time. Rank 0 makes room
 * and says so, the others report their files to it, it commits what all have written and says so
 * again. All of this is said in notes beside the operations, and those have no limit: a file system
 * takes its time.
 */
final class CheckpointWriter implements AutoCloseable {
  /** What rank 0 tells the others of a checkpoint; that there is a note is the news. */
  private static final byte[] DONE = {};

  private final CheckpointStore store;
  private final CheckpointStore.Guard guard;
  private final Collective collective;
  private final WriterThread thread;
  private Future<?> pending;
  private int pendingStep;

  /**
   * @param guard asked before anything is removed or created, and at the commit
   */
  CheckpointWriter(
      CheckpointStore store,
      Collective collective,
      CheckpointStore.Guard guard,
      WriterThread thread) {
    this.store = store;
    this.collective = collective;
    this.guard = thread.guard(guard);
    this.thread = thread;
  }

  /**
   * Starts writing a step's checkpoint; what there was of it is gone then. The one before must have
   * been awaited.
   */
  void start(int step, List<CheckpointFile> files) {
    if (pending != null) {
      throw new IllegalStateException("the checkpoint of step " + pendingStep + " is not awaited");
    }
    pendingStep = step;
    pending =
        thread.start(
            () -> {
              if (collective.rank() == 0) {
                writeAndCommit(step, files);
              } else {
                writeAndReport(step, files);
              }
              return null;
            });
  }

  private void writeAndCommit(int step, List<CheckpointFile> files)
      throws IOException, InterruptedException {
    store.begin(step, guard);
    tellOthers();
    List<CheckpointManifest.Entry> entries = new ArrayList<>(store.writeFiles(step, files, guard));
    for (int rank = 1; rank < collective.size(); rank++) {
      ShardReport report = ShardReport.of(collective.takeNote(rank));
      if (report.failure() != null || report.step() != step) {
        throw new IOException("rank " + rank + " could not write its part: " + report.failure());
      }
      entries.addAll(report.files());
    }
    store.commit(step, entries, guard);
    tellOthers();
  }

  private void tellOthers() {
    for (int rank = 1; rank < collective.size(); rank++) {
      collective.post(rank, DONE);
    }
  }

  private void writeAndReport(int step, List<CheckpointFile> files)
      throws IOException, InterruptedException {
    collective.takeNote(0);
    try {
      collective.post(0, ShardReport.written(step, store.writeFiles(step, files, guard)).bytes());
    } catch (IOException | RuntimeException failed) {
      collective.post(0, ShardReport.failed(step, failed).bytes());
      throw failed;
    }
    collective.takeNote(0);
  }

  /**
   * Waits for the commit of the checkpoint being written.
   *
   * @return its step; empty where none is being written
   * @throws IOException if it could not be written; an {@link Error} of the thread that writes it
   *     comes as it is
   * @throws CollectiveException if another rank fails
   */
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
      if (failed.getCause() instanceof CollectiveException lost) {
        throw lost;
      }
      if (failed.getCause() instanceof Error error) {
        throw error;
      }
      throw failure(failed.getCause());
    }
  }

  private IOException failure(Throwable cause) {
    return new IOException(
        "cannot write the checkpoint of step %d to %s: %s"
            .formatted(pendingStep, store.folder(pendingStep).path(), cause.getMessage()),
        cause);
  }

  /** Lets the last checkpoint finish, unless this thread is interrupted. */
  @Override
  public void close() throws IOException {
    try {
      await();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
