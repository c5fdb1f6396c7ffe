package org.sparkformer.training;

import java.io.IOException;
import org.sparkformer.tensor.Backend;

/** What a rank keeps and tells of a run: everything on rank 0, nothing on the others. */
interface RunRecorder extends AutoCloseable {
  /** Keeps and tells nothing. */
  RunRecorder NONE = new RunRecorder() {};

  default void started(TrainingStart start) {}

  default void step(StepMetrics metrics) throws IOException {}

  default void evaluation(EvaluationMetrics metrics) throws IOException {}

  /**
   * Reports what has happened in the background.
   *
   * @throws IOException if a checkpoint could not be written
   */
  default void check() throws IOException, InterruptedException {}

  /** Copies the state from the device and has it written as a checkpoint beside training. */
  default void checkpoint(Backend backend, ModelState state, RunProgress progress)
      throws IOException, InterruptedException {}

  /** Waits for the last checkpoint and writes the summary. */
  default void finished(RunSummary summary) throws IOException, InterruptedException {}

  @Override
  default void close() throws IOException {}
}
