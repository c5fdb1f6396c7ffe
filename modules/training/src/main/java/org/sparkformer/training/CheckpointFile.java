package org.sparkformer.training;

import java.io.IOException;
import java.io.OutputStream;

/**
 * A file of a checkpoint about to be written.
 *
 * @param name in the checkpoint's folder
 */
public record CheckpointFile(String name, Content content) {
  /** Writes a file's bytes; does not close the stream. */
  @FunctionalInterface
  public interface Content {
    void writeTo(OutputStream stream) throws IOException;
  }

  /** A small file. */
  public static CheckpointFile of(String name, byte[] bytes) {
    return new CheckpointFile(name, stream -> stream.write(bytes));
  }
}
