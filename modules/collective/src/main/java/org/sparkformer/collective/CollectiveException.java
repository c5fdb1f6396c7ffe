package org.sparkformer.collective;

/**
 * An attempt at collective work is over: a peer is gone, silent, out of step, or its bytes arrived
 * damaged.
 */
public final class CollectiveException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public CollectiveException(String message) {
    super(message);
  }

  public CollectiveException(String message, Throwable cause) {
    super(message, cause);
  }
}
