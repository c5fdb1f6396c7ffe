package org.sparkformer.app;

import java.io.FileNotFoundException;
import java.nio.file.NoSuchFileException;

/** Turns an exception into the one line that a user reads. */
final class ErrorLine {
  private ErrorLine() {}

  static String of(Throwable error) {
    String message = error.getMessage();
    if (message == null || message.isBlank()) {
      message = error.toString();
    }
    boolean explained =
        error instanceof InputException || error instanceof IllegalArgumentException;
    String line = message.lines().findFirst().orElse(message).strip();
    return explained ? line : nameOf(error) + ": " + line + " (--debug shows where)";
  }

  /** Whether the user's input is at fault, and not the program or the machine. */
  static boolean isInput(Throwable error) {
    return error instanceof InputException
        || error instanceof IllegalArgumentException
        || error instanceof FileNotFoundException
        || error instanceof NoSuchFileException;
  }

  private static String nameOf(Throwable error) {
    return error.getClass().getSimpleName();
  }
}
