package org.sparkformer.app;

import java.io.FileNotFoundException;
import java.nio.file.NoSuchFileException;
import org.sparkformer.data.CorruptDatasetException;
import org.sparkformer.models.safetensors.SafetensorsException;
import org.sparkformer.training.CorruptCheckpointException;

/** Turns an exception into the one line that a user reads. */
final class ErrorLine {
  private ErrorLine() {}

  static String of(Throwable error) {
    String message = error.getMessage();
    if (message == null || message.isBlank()) {
      message = error.toString();
    }
    boolean explained = isInput(error) || isOurs(error);
    if (error instanceof NoSuchFileException) {
      message = "no such file: " + message;
    }
    String line = message.lines().findFirst().orElse(message).strip();
    return explained ? line : nameOf(error) + ": " + line + " (--debug shows where)";
  }

  /** Whether the user's input is at fault, and not the program or the machine. */
  static boolean isInput(Throwable error) {
    return error instanceof InputException
        || error instanceof IllegalArgumentException
        || error instanceof FileNotFoundException
        || error instanceof NoSuchFileException
        || error instanceof CorruptDatasetException
        || error instanceof CorruptCheckpointException
        || error instanceof SafetensorsException;
  }

  /** Whether the message was written for the user of this program. */
  private static boolean isOurs(Throwable error) {
    return error.getClass().getName().startsWith("org.sparkformer.");
  }

  private static String nameOf(Throwable error) {
    return error.getClass().getSimpleName();
  }
}
