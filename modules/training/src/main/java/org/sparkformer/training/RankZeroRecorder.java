package org.sparkformer.training;

import java.io.IOException;

/** Rank 0's record of a run: the metrics file, checkpoints, the summary, and the listener. */
final class RankZeroRecorder implements RunRecorder {
  private final TrainingRun run;
  private final MetricsWriter metrics;
  private final TrainingListener listener;

  /**
   * @param earlierLines of the metrics file, where a run is resumed
   */
  RankZeroRecorder(TrainingRun run, byte[] earlierLines, TrainingListener listener)
      throws IOException {
    this.run = run;
    this.metrics = new MetricsWriter(run.folder(), earlierLines);
    this.listener = listener;
  }

  @Override
  public void started(TrainingStart start) {
    listener.onStart(start);
  }

  @Override
  public void step(StepMetrics step) throws IOException {
    metrics.append(step);
    listener.onStep(step);
  }

  @Override
  public void evaluation(EvaluationMetrics evaluation) throws IOException {
    metrics.append(evaluation);
    listener.onEvaluation(evaluation);
  }

  @Override
  public void finished(RunSummary summary) throws IOException {
    run.folder().writeAtomically(RunSummary.FILE_NAME, Json.pretty(summary));
  }

  @Override
  public void close() throws IOException {
    metrics.close();
  }
}
