package org.sparkformer.training;

import java.io.IOException;

/** What a rank keeps and tells of a run: its part of checkpoints, and on rank 0 everything else. */
interface RunRecorder extends AutoCloseable {
  /** Training is about to begin, and nobody else writes the run. */
  default void started(TrainingStart start) throws IOException, InterruptedException {}

  default void step(StepMetrics metrics) throws IOException {}

  default void evaluation(EvaluationMetrics metrics) throws IOException {}

  /**
   * Has the rank's part of the state written beside training. Called on all ranks after the same
   * step, once the one before has {@linkplain #settle settled}.
   */
  void checkpoint(RunProgress progress, WholeWeights weights)
      throws IOException, InterruptedException;

  /** Called when all of a step is queued but what changes the state. */
  void beforeUpdate();

  /**
   * Waits for the commit of the checkpoint that is being written, if there is one.
   *
   * @throws IOException if it could not be written
   */
  void settle() throws IOException, InterruptedException;

  /** Whether the run has been told to stop before its last step. */
  default boolean isToStop() throws IOException {
    return false;
  }

  /** Something a person should know. */
  default void message(String text) {}

  /** The training thread is stuck; called on another one. */
  default void stuck(String report) {}

  /**
   * Waits for the last checkpoint, removes what is no longer to be kept, and writes the summary.
   */
  void finished(RunSummary summary) throws IOException, InterruptedException;

  @Override
  void close() throws IOException;
}
