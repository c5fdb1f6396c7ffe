package org.sparkformer.data;

import java.io.IOException;
import java.io.InputStream;

/**
 * The lines whose first byte lies in a part of a file, without their ends; the last may reach
 * beyond it.
 */
final class LineReader implements DocumentReader {
  private final CorpusPart part;
  private final long end;
  private final ByteLines lines;
  private final Utf8Decoder decoder = new Utf8Decoder();
  private long lineStart;
  private String text;

  /**
   * @param stream starts one byte before the part, to see whether a line starts with it; at 0 for
   *     the first
   * @param end the part's end, or {@code Long.MAX_VALUE} for all of a compressed file
   */
  LineReader(CorpusPart part, InputStream stream, long end) throws IOException {
    this.part = part;
    this.end = end;
    this.lines = new ByteLines(stream, Math.max(0, part.start() - 1));
    if (part.start() > 0) {
      lines.next();
    }
  }

  @Override
  public boolean next() throws IOException {
    lineStart = lines.position();
    if (lineStart >= end || !lines.next()) {
      return false;
    }
    int length = lines.length();
    if (length > 0 && lines.bytes()[length - 1] == '\r') {
      length--;
    }
    String line = decoder.decode(lines.bytes(), length, true);
    text = lineStart == 0 ? WellFormed.withoutByteOrderMark(line) : line;
    return true;
  }

  @Override
  public String place() {
    return "%s at byte %,d".formatted(part.path(), lineStart);
  }

  @Override
  public String read() {
    String piece = text;
    text = null;
    return piece;
  }

  @Override
  public long replacedCharacters() {
    return decoder.replaced();
  }

  @Override
  public void close() throws IOException {
    lines.close();
  }
}
