package org.sparkformer.data;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;

/** Lines of bytes, which end with LF or with the stream. */
final class ByteLines implements Closeable {
  private static final int LONGEST_BYTES = 1 << 30;

  private final InputStream stream;
  private final byte[] buffer = new byte[1 << 16];
  private int bufferStart;
  private int bufferEnd;
  private byte[] line = new byte[1 << 10];
  private int length;
  private long position;

  /**
   * @param position of the stream's first byte in its file
   */
  ByteLines(InputStream stream, long position) {
    this.stream = stream;
    this.position = position;
  }

  /** Reads up to and over the next line feed; false at the end of the stream. */
  boolean next() throws IOException {
    length = 0;
    boolean any = false;
    while (bufferStart < bufferEnd || fill()) {
      any = true;
      int feed = bufferStart;
      while (feed < bufferEnd && buffer[feed] != '\n') {
        feed++;
      }
      append(feed - bufferStart);
      boolean found = feed < bufferEnd;
      position += feed - bufferStart + (found ? 1 : 0);
      bufferStart = found ? feed + 1 : feed;
      if (found) {
        break;
      }
    }
    return any;
  }

  private boolean fill() throws IOException {
    bufferStart = 0;
    bufferEnd = Math.max(0, stream.read(buffer));
    return bufferEnd > 0;
  }

  private void append(int count) throws IOException {
    if (length + count > LONGEST_BYTES) {
      throw new IOException(
          "a line of more than %,d bytes ends after byte %,d; read the file as text, or cut the line"
              .formatted(LONGEST_BYTES, position));
    }
    if (length + count > line.length) {
      line = Arrays.copyOf(line, Math.max(2 * line.length, length + count));
    }
    System.arraycopy(buffer, bufferStart, line, length, count);
    length += count;
  }

  /**
   * The current line, without its line feed, in the first {@link #length()} bytes; overwritten by
   * the next.
   */
  byte[] bytes() {
    return line;
  }

  int length() {
    return length;
  }

  /** Position in the file of the byte after the current line. */
  long position() {
    return position;
  }

  @Override
  public void close() throws IOException {
    stream.close();
  }
}
