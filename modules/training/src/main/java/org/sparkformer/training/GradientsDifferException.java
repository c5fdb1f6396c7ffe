package org.sparkformer.training;

/** A rank computed the gradients of its micro-batches twice, and not to the same bits. */
public final class GradientsDifferException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * @param step whose gradients they are, counted from 1
   */
  public GradientsDifferException(int step) {
    super(
        "the gradients of step "
            + step
            + ", computed twice from the same weights and tokens, differ: a bit was flipped in this"
            + " rank's memory or processor");
  }
}
