package org.sparkformer.training;

import java.io.IOException;

/** Rank 0's record of a run: the metrics file, checkpoints, the summary, and the listener. */
final class RankZeroRecorder implements RunRecorder {
  private final TrainingRun run;
  private final MetricsWriter metrics;
  private final TrainingListener listener;
  private final CheckpointStore store;
  private final CheckpointWriter checkpoints;
  private final CheckpointSnapshot snapshot;

  /**
   * @param earlierLines of the metrics file, where a run is resumed
   */
  RankZeroRecorder(
      TrainingRun run,
      Rank rank,
      ModelState state,
      CheckpointStore store,
      byte[] earlierLines,
      TrainingListener listener)
      throws IOException {
    listener.beforeCommit();
    this.run = run;
    this.snapshot = new CheckpointSnapshot(run, rank, state);
    this.metrics = new MetricsWriter(run.folder(), earlierLines);
    this.listener = listener;
    this.store = store;
    this.checkpoints = new CheckpointWriter(store, rank.collective(), listener::beforeCommit);
  }

  @Override
  public void started(TrainingStart start) {
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
    // An earlier attempt may have committed the last checkpoint, and not come to what follows that.
    store.prune(summary.steps(), listener::beforeCommit);
    run.folder().replace(RunSummary.FILE_NAME, Json.pretty(summary), listener::beforeCommit);
  }

  @Override
  public void close() throws IOException {
    try (metrics) {
      checkpoints.close();
    }
  }
}
