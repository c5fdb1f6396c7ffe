package org.sparkformer.data;

import java.util.function.Consumer;

/** The pieces from which merges are learnt: those of GPT-2's pre-tokenizer. */
public final class Words {
  /** Pieces longer than this many UTF-16 units are data rather than words, and teach no merges. */
  public static final int LONGEST = 1024;

  private Words() {}

  /** Gives the pieces of a text, in order, but for those that are too long. */
  public static void forEach(String text, Consumer<String> consumer) {
    for (int start = 0; start < text.length(); ) {
      int end = PreTokenizer.pieceEnd(text, start);
      if (end - start <= LONGEST) {
        consumer.accept(text.substring(start, end));
      }
      start = end;
    }
  }

  /**
   * The largest index at which a text can be cut without changing its pieces; 0 if there is none.
   */
  public static int safeCut(CharSequence text) {
    return PreTokenizer.lastBoundary(text);
  }
}
