package org.sparkformer.data;

import java.io.IOException;
import java.io.OutputStream;

/** Streams of Hadoop's file systems. */
public final class OutputStreams {
  private OutputStreams() {}

  /** Writes to a stream. */
  @FunctionalInterface
  public interface Content<S extends OutputStream> {
    void writeTo(S stream) throws IOException;
  }

  /**
   * Writes and closes, the latter also where the former fails. HDFS closes with the very exception
   * that a write ended with, which a try-with-resources statement would have suppress itself, and
   * that is refused: what it throws then is no IOException.
   */
  public static <S extends OutputStream> void writeAndClose(S stream, Content<? super S> content)
      throws IOException {
    try {
      content.writeTo(stream);
    } catch (IOException | RuntimeException failed) {
      closeAfter(failed, stream);
      throw failed;
    }
    stream.close();
  }

  private static void closeAfter(Exception failed, OutputStream stream) {
    try {
      stream.close();
    } catch (IOException again) {
      if (again != failed) {
        failed.addSuppressed(again);
      }
    }
  }
}
