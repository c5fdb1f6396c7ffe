package org.sparkformer.app.progress;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * Writes in order, on a thread of its own: training does not wait for a terminal that is held up,
 * or for a pipe that nobody reads, unless very much has been said meanwhile.
 */
final class QueuedWriter extends Writer {
  private static final int MOST_WAITING = 100_000;

  /** Nobody writes nothing. */
  private static final String END = "";

  private final BlockingQueue<String> waiting = new LinkedBlockingQueue<>(MOST_WAITING);
  private final PrintWriter out;
  private final Thread thread;

  QueuedWriter(PrintWriter out) {
    this.out = out;
    thread = new Thread(this::write, "sparkformer-output");
    thread.setDaemon(true);
    thread.start();
  }

  private void write() {
    try {
      for (String text = waiting.take(); !text.equals(END); text = waiting.take()) {
        out.write(text);
        if (waiting.isEmpty()) {
          out.flush();
        }
      }
    } catch (InterruptedException nobodyElseHasTheThread) {
      throw new IllegalStateException(nobodyElseHasTheThread);
    }
  }

  @Override
  public void write(char[] characters, int offset, int length) throws IOException {
    if (length > 0) {
      put(new String(characters, offset, length));
    }
  }

  private void put(String text) throws IOException {
    try {
      // What an interrupted thread says counts as well, where there is room for it.
      if (!waiting.offer(text)) {
        waiting.put(text);
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while the output is held up");
    }
  }

  /** What is written is on its way. */
  @Override
  public void flush() {}

  /** Returns when all is written; the writer behind stays open. */
  @Override
  public void close() throws IOException {
    put(END);
    try {
      thread.join();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
