package org.sparkformer.training;

import java.io.IOException;
import java.util.Arrays;
import org.sparkformer.training.CheckpointStore.Guard;

/** Rank 0's record of a run: the metrics file, checkpoints, the summary, and the listener. */
final class RankZeroRecorder implements RunRecorder {
  private final TrainingRun run;
  private final byte[] earlierLines;
  private final TrainingListener listener;
  private final CheckpointStore store;
  private final WriterThread files;
  private final Guard guard;
  private final CheckpointWriter checkpoints;
  private final CheckpointSnapshot snapshot;
  private volatile MetricsWriter metrics;

  /**
   * @param earlierLines of the metrics file, where a run is resumed
   */
  RankZeroRecorder(
      TrainingRun run,
      Rank rank,
      ModelState state,
      CheckpointStore store,
      byte[] earlierLines,
      TrainingListener listener) {
    this.run = run;
    this.earlierLines = earlierLines;
    this.listener = listener;
    this.store = store;
    this.files = new WriterThread(run.folder());
    this.guard = files.guard(listener::beforeCommit);
    this.checkpoints =
        new CheckpointWriter(store, rank.collective(), listener::beforeCommit, files);
    this.snapshot = new CheckpointSnapshot(run, rank, state);
  }

  @Override
  public void started(TrainingStart start) throws IOException, InterruptedException {
    files.finish(
        () -> {
          guard.requireOwner();
          metrics = new MetricsWriter(run.folder(), earlierLines);
        });
    listener.onStart(start);
  }

  @Override
  public void step(StepMetrics step) throws IOException {
    // Told first: a rank whose attempt is over fails here and leaves the file to its successor.
    listener.onStep(step);
    metrics.append(step);
  }

  @Override
  public void evaluation(EvaluationMetrics evaluation) throws IOException {
    listener.onEvaluation(evaluation);
    metrics.append(evaluation);
  }

  @Override
  public void checkpoint(RunProgress progress, WholeWeights weights) throws IOException {
    checkpoints.start(progress.step(), snapshot.take(progress, weights, metrics.content()));
  }

  @Override
  public void beforeUpdate() {
    snapshot.detach();
  }

  @Override
  public void settle() throws IOException, InterruptedException {
    checkpoints
        .await()
        .ifPresent(step -> listener.onCheckpoint(step, store.folder(step).path().toString()));
  }

  @Override
  public boolean isToStop() throws IOException {
    return listener.isToStop();
  }

  @Override
  public void message(String text) {
    listener.onMessage(text);
  }

  @Override
  public void stuck(String report) {
    listener.onStuck(report);
  }

  @Override
  public void finished(RunSummary summary) throws IOException, InterruptedException {
    settle();
    files.finish(() -> end(summary));
  }

  private void end(RunSummary summary) throws IOException {
    // An earlier attempt may have committed the last checkpoint, and not come to what follows that.
    store.prune(summary.steps(), guard);
    endMetrics();
    run.folder().replace(RunSummary.FILE_NAME, Json.pretty(summary), guard);
  }

  /**
   * A rank of an older attempt that slept from the driver's answer on may have replaced the file
   * since: then it is put right.
   */
  private void endMetrics() throws IOException {
    byte[] lines = metrics.content();
    metrics.close();
    metrics = null;
    byte[] there = run.folder().read(MetricsWriter.FILE_NAME).orElse(new byte[0]);
    if (!Arrays.equals(there, lines)) {
      run.folder().replace(MetricsWriter.FILE_NAME, lines, guard);
    }
  }

  /** The metrics file last: until its thread has ended, it may be about to be opened. */
  @Override
  public void close() throws IOException {
    try (files) {
      checkpoints.close();
    } finally {
      if (metrics != null) {
        metrics.close();
      }
    }
  }
}
