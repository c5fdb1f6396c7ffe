package org.sparkformer.training;

import java.io.IOException;

/**
 * Hears of a run's progress: on rank 0 only, on its training thread, in order. What a listener does
 * holds up training, so it should be quick.
 */
public interface TrainingListener {
  /** Hears nothing. */
  TrainingListener NONE = new TrainingListener() {};

  /** Before the first step of this session. */
  default void onStart(TrainingStart start) {}

  /** After every logged step. */
  default void onStep(StepMetrics metrics) {}

  /** After every evaluation. */
  default void onEvaluation(EvaluationMetrics metrics) {}

  /**
   * A checkpoint is committed and verified.
   *
   * @param step steps done when it was taken
   * @param path its folder
   */
  default void onCheckpoint(int step, String path) {}

  /**
   * Before the run's folder is changed for good, on the thread that does it; on every rank.
   *
   * @throws IOException if the folder is no longer this rank's to write: another attempt has it
   */
  default void beforeCommit() throws IOException {}

  /**
   * Whether the run is to stop, with a checkpoint, before its last step; asked a few times a
   * second.
   *
   * @throws IOException if whoever knows cannot be reached
   */
  default boolean isToStop() throws IOException {
    return false;
  }

  /**
   * A step of rank 0 does not move, and its training thread may never wake up; the one call that
   * comes on another thread, while others may go on.
   *
   * @param report where it is, and what the other ranks last did
   */
  default void onStuck(String report) {
    onMessage(report);
  }

  /** Something a person should know, for instance which checkpoint was passed over and why. */
  default void onMessage(String message) {}
}
