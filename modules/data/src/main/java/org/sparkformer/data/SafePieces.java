package org.sparkformer.data;

import java.io.IOException;
import java.util.function.ToIntFunction;

/**
 * Text in pieces that can be tokenized by themselves: what the text that follows may still change
 * is held back until it is there.
 */
public final class SafePieces implements TextSource {
  private static final int LARGEST_PENDING = 1 << 26;

  private final TextSource source;
  private final ToIntFunction<CharSequence> safeCut;
  private final StringBuilder pending = new StringBuilder();
  private boolean ended;

  /**
   * @param safeCut as {@link Tokenizer#safeCut}
   */
  public SafePieces(TextSource source, ToIntFunction<CharSequence> safeCut) {
    this.source = source;
    this.safeCut = safeCut;
  }

  @Override
  public String read() throws IOException {
    while (!ended) {
      String text = source.read();
      ended = text == null;
      pending.append(ended ? "" : text);
      int cut = ended ? pending.length() : safeCut.applyAsInt(pending);
      if (cut > 0) {
        String piece = pending.substring(0, cut);
        pending.delete(0, cut);
        return piece;
      }
      requireRoom();
    }
    return null;
  }

  private void requireRoom() throws IOException {
    if (pending.length() > LARGEST_PENDING) {
      throw new IOException(
          "a document holds more than %,d characters without white space, where it could be cut"
              .formatted(LARGEST_PENDING));
    }
  }
}
