package org.sparkformer.training;

/** A step of this rank did not move for longer than {@code training.step_timeout}. */
public final class StuckStepException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * @param report which rank, where it was, and what the others did
   */
  public StuckStepException(String report, Throwable cause) {
    super(report + "; raise training.step_timeout where steps may take that long", cause);
  }
}
