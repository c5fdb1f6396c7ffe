package org.sparkformer.training;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.StreamCapabilities;

/**
 * Writes {@code metrics.jsonl}: one JSON object a line, visible to readers at once where the file
 * system can flush.
 *
 * <p>Every checkpoint carries the lines so far. A resumed run starts the file anew from those, so
 * no step stands in it twice and no file system needs to append.
 */
final class MetricsWriter implements AutoCloseable {
  static final String FILE_NAME = "metrics.jsonl";

  private final ByteArrayOutputStream lines = new ByteArrayOutputStream();
  private final FSDataOutputStream stream;

  /**
   * @param earlier lines of a checkpoint; empty at the start of a run
   */
  MetricsWriter(RunFolder folder, byte[] earlier) throws IOException {
    // A new file, not the old one cut short: an earlier writer may still have that one open.
    folder.fileSystem().delete(folder.resolve(FILE_NAME), false);
    this.stream = folder.fileSystem().create(folder.resolve(FILE_NAME), true);
    write(earlier);
  }

  /** Appends a record as a line. */
  void append(Object metrics) throws IOException {
    write((Json.line(metrics) + "\n").getBytes(StandardCharsets.UTF_8));
  }

  private void write(byte[] bytes) throws IOException {
    lines.writeBytes(bytes);
    stream.write(bytes);
    if (stream.hasCapability(StreamCapabilities.HSYNC)) {
      stream.hflush();
    } else {
      stream.flush();
    }
  }

  /** All lines so far. */
  byte[] content() {
    return lines.toByteArray();
  }

  @Override
  public void close() throws IOException {
    stream.close();
  }
}
