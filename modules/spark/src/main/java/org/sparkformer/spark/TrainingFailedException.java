package org.sparkformer.spark;

/**
 * Training broke off, and was not or no longer started again. What was trained is in its
 * checkpoints.
 */
public class TrainingFailedException extends Exception {
  private static final long serialVersionUID = 1L;

  public TrainingFailedException(String message, Throwable cause) {
    super(message, cause);
  }
}
