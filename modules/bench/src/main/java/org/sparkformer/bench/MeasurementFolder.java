package org.sparkformer.bench;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;

/**
 * A folder for a measurement, which goes with it, also where a signal ends this process: first what
 * writes into it is ended, then it is deleted.
 */
final class MeasurementFolder implements AutoCloseable {
  private final Path path;
  private final Deque<Closeable> writers = new ArrayDeque<>();
  private boolean closed;

  private MeasurementFolder(Path path) {
    this.path = path;
  }

  /** A new one, among the system's temporary files. */
  static MeasurementFolder create(String prefix) throws IOException {
    MeasurementFolder folder = new MeasurementFolder(Files.createTempDirectory(prefix));
    Runtime.getRuntime().addShutdownHook(new Thread(folder::closeAtTheEnd, "folder-delete"));
    return folder;
  }

  Path path() {
    return path;
  }

  /**
   * Has this writer closed before the folder is deleted, the newest first.
   *
   * @param writer may be closed by others too
   * @throws IOException if the folder is gone, for this process is at its end; the writer is closed
   */
  synchronized void writtenBy(Closeable writer) throws IOException {
    if (closed) {
      writer.close();
      throw new IOException(path + " is deleted: this process ends");
    }
    writers.push(writer);
  }

  private void closeAtTheEnd() {
    try {
      close();
    } catch (IOException e) {
      System.err.println(e.getMessage());
    }
  }

  /** Once; whoever comes second waits for the first. */
  @Override
  public synchronized void close() throws IOException {
    if (closed) {
      return;
    }
    closed = true;
    for (Closeable writer : writers) {
      writer.close();
    }
    try (var files = Files.walk(path)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
