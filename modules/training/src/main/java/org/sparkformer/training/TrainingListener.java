package org.sparkformer.training;

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

  /** Something a person should know, for instance which checkpoint was passed over and why. */
  default void onMessage(String message) {}
}
