package org.sparkformer.data;

import java.io.IOException;

/** A file of a corpus cannot be read, or is not of its format; the message names the place. */
public final class UnreadableCorpusException extends IOException {
  private static final long serialVersionUID = 1L;

  public UnreadableCorpusException(String message, Throwable cause) {
    super(message, cause);
  }
}
