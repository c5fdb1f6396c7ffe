package org.sparkformer.spark;

/**
 * The driver's process was told to stop before the last step. The listener has been told so: the
 * process may be gone before whoever catches this can say anything.
 */
public final class TrainingStoppedException extends TrainingFailedException {
  private static final long serialVersionUID = 1L;

  TrainingStoppedException(String message, Throwable cause) {
    super(message, cause);
  }
}
