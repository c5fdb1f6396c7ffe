package org.sparkformer.training;

import java.io.IOException;

/** A run's folder belongs to another process that is alive, or has been taken over by one. */
public final class RunInUseException extends IOException {
  private static final long serialVersionUID = 1L;

  RunInUseException(String message) {
    super(message);
  }
}
