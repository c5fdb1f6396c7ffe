package org.sparkformer.app;

import java.io.FileNotFoundException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import org.apache.hadoop.fs.FileAlreadyExistsException;
import org.apache.hadoop.fs.ParentNotDirectoryException;
import org.apache.hadoop.fs.UnsupportedFileSystemException;
import org.apache.hadoop.security.AccessControlException;
import org.sparkformer.data.CorruptDatasetException;
import org.sparkformer.data.UnreadableCorpusException;
import org.sparkformer.models.safetensors.SafetensorsException;
import org.sparkformer.opencl.NoSuchDeviceException;
import org.sparkformer.training.CorruptCheckpointException;

/** Turns an exception into the one line that a user reads. */
final class ErrorLine {
  private static final String DISK_FULL = "No space left on device";

  private ErrorLine() {}

  static String of(Throwable error) {
    String message = error.getMessage();
    if (message == null || message.isBlank()) {
      message = error.toString();
    }
    String line = message.lines().findFirst().orElse(message).strip();
    if (isInput(error) || isOurs(error)) {
      return problem(error) + line;
    }
    if (line.contains(DISK_FULL)) {
      return line + ": make room or give another folder";
    }
    return nameOf(error) + ": " + line + " (--debug shows where)";
  }

  /** Whether the user's input is at fault, and not the program or the machine. */
  static boolean isInput(Throwable error) {
    return error instanceof InputException
        || error instanceof IllegalArgumentException
        || error instanceof CorruptDatasetException
        || error instanceof CorruptCheckpointException
        || error instanceof SafetensorsException
        || error instanceof UnreadableCorpusException
        || error instanceof NoSuchDeviceException
        || isPath(error);
  }

  /** Whether a path that was given leads nowhere that can be used. */
  private static boolean isPath(Throwable error) {
    return error instanceof FileNotFoundException
        || error instanceof NoSuchFileException
        || error instanceof AccessDeniedException
        || error instanceof AccessControlException
        || error instanceof FileAlreadyExistsException
        || error instanceof ParentNotDirectoryException
        || error instanceof UnsupportedFileSystemException;
  }

  /** What the exceptions of Java's files leave out: their message is the path alone. */
  private static String problem(Throwable error) {
    if (error instanceof NoSuchFileException missing && missing.getReason() == null) {
      return "no such file: ";
    }
    return error instanceof AccessDeniedException ? "permission denied: " : "";
  }

  /** Whether the message was written for the user of this program. */
  private static boolean isOurs(Throwable error) {
    return error.getClass().getName().startsWith("org.sparkformer.");
  }

  private static String nameOf(Throwable error) {
    return error.getClass().getSimpleName();
  }
}
