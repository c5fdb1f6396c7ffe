package org.sparkformer.training;

/** Training has diverged: the gradient's norm at some step was infinite or not a number. */
public final class NonFiniteGradientException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int step;

  public NonFiniteGradientException(int step, double norm) {
    super(
        "the gradient norm of step %d is %s: training has diverged and the step was not applied; "
                .formatted(step, norm)
            + "lower training.learning_rate, lengthen training.warmup_steps or lower training.clip, "
            + "then start from scratch or from an earlier checkpoint");
    this.step = step;
  }

  /** The step, counted from 1. */
  public int step() {
    return step;
  }
}
