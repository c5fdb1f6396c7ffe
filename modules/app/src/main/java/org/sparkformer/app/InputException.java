package org.sparkformer.app;

/**
 * Something the user gave cannot be used. The message is one line that says what, where, and what
 * to do.
 */
public final class InputException extends Exception {
  private static final long serialVersionUID = 1;

  public InputException(String message) {
    super(message);
  }

  public InputException(String message, Throwable cause) {
    super(message, cause);
  }
}
