package org.sparkformer.data;

import java.io.IOException;
import java.io.InputStream;

/** One document: a whole file. */
final class TextReader implements DocumentReader {
  private static final int PIECE_BYTES = 1 << 20;

  private final CorpusPart part;
  private final InputStream stream;
  private final Utf8Decoder decoder = new Utf8Decoder();
  private boolean started;
  private boolean begun;
  private boolean ended;

  TextReader(CorpusPart part, InputStream stream) {
    this.part = part;
    this.stream = stream;
  }

  @Override
  public boolean next() {
    boolean first = !started;
    started = true;
    return first;
  }

  @Override
  public String read() throws IOException {
    if (ended) {
      return null;
    }
    byte[] bytes = stream.readNBytes(PIECE_BYTES);
    ended = bytes.length < PIECE_BYTES;
    String text = decoder.decode(bytes, bytes.length, ended);
    boolean first = !begun;
    begun = true;
    return first ? WellFormed.withoutByteOrderMark(text) : text;
  }

  @Override
  public String place() {
    return part.path();
  }

  @Override
  public long replacedCharacters() {
    return decoder.replaced();
  }

  @Override
  public void close() throws IOException {
    stream.close();
  }
}
