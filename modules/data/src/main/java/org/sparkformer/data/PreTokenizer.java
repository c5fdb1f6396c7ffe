package org.sparkformer.data;

/**
 * GPT-2's pre-tokenizer: cuts a text into the pieces that byte-pair merges never cross. The pieces
 * are the successive matches of
 *
 * <pre>{@code '(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+}</pre>
 *
 * which cover every character. Written as a scanner: a regular expression would overflow the stack
 * on long lines, and the JDK's classes change with its Unicode version.
 */
final class PreTokenizer {

  private PreTokenizer() {}

  /** The end of the piece that starts at {@code start}, where {@code start < text.length()}. */
  static int pieceEnd(CharSequence text, int start) {
    int contraction = contractionEnd(text, start);
    if (contraction > start) {
      return contraction;
    }
    int body = start;
    if (text.charAt(start) == ' ' && start + 1 < text.length()) {
      body = start + 1;
    }
    byte kind = UnicodeClasses.of(Character.codePointAt(text, body));
    if (kind != UnicodeClasses.SPACE) {
      return runEnd(text, body, kind);
    }
    return spaceEnd(text, start);
  }

  /**
   * The largest index at which a cut leaves the pieces on both sides as they are: before white
   * space that follows a character that is none. 0 if there is no such place.
   */
  static int lastBoundary(CharSequence text) {
    int index = text.length();
    while (index > 0) {
      int codePoint = Character.codePointBefore(text, index);
      int previous = index - Character.charCount(codePoint);
      if (previous > 0
          && UnicodeClasses.isSpace(codePoint)
          && !UnicodeClasses.isSpace(Character.codePointBefore(text, previous))) {
        return previous;
      }
      index = previous;
    }
    return 0;
  }

  private static int contractionEnd(CharSequence text, int start) {
    if (text.charAt(start) != '\'' || start + 1 >= text.length()) {
      return start;
    }
    char first = text.charAt(start + 1);
    if (first == 's' || first == 't' || first == 'm' || first == 'd') {
      return start + 2;
    }
    char second = start + 2 < text.length() ? text.charAt(start + 2) : 0;
    boolean two =
        (first == 'l' && second == 'l')
            || (first == 'v' && second == 'e')
            || (first == 'r' && second == 'e');
    return two ? start + 3 : start;
  }

  private static int runEnd(CharSequence text, int start, byte kind) {
    int end = start;
    while (end < text.length()) {
      int codePoint = Character.codePointAt(text, end);
      if (UnicodeClasses.of(codePoint) != kind) {
        break;
      }
      end += Character.charCount(codePoint);
    }
    return end;
  }

  /**
   * All of a run at the end of the text; elsewhere all but its last character, which may open the
   * next piece.
   */
  private static int spaceEnd(CharSequence text, int start) {
    int end = runEnd(text, start, UnicodeClasses.SPACE);
    // White space lies in the basic plane: the last character is one char.
    return end < text.length() && end - start > 1 ? end - 1 : end;
  }
}
