package org.sparkformer.data;

/** Text without unpaired surrogates: what UTF-8 can carry. */
final class WellFormed {
  private WellFormed() {}

  /**
   * The text with every unpaired surrogate replaced by U+FFFD; the same object where there is none.
   */
  static String text(String text) {
    int first = firstUnpaired(text, 0);
    if (first < 0) {
      return text;
    }
    char[] characters = text.toCharArray();
    for (int i = first; i >= 0; i = firstUnpaired(text, i + 1)) {
      characters[i] = '\ufffd';
    }
    return new String(characters);
  }

  /** The start of a file's text without the byte order mark that some programs put there. */
  static String withoutByteOrderMark(String text) {
    return text.startsWith("\ufeff") ? text.substring(1) : text;
  }

  /** How many unpaired surrogates a text holds. */
  static int unpaired(String text) {
    int count = 0;
    for (int i = firstUnpaired(text, 0); i >= 0; i = firstUnpaired(text, i + 1)) {
      count++;
    }
    return count;
  }

  private static int firstUnpaired(String text, int from) {
    for (int i = from; i < text.length(); i++) {
      char character = text.charAt(i);
      if (!Character.isSurrogate(character)) {
        continue;
      }
      boolean paired =
          Character.isHighSurrogate(character)
              && i + 1 < text.length()
              && Character.isLowSurrogate(text.charAt(i + 1));
      if (!paired) {
        return i;
      }
      i++;
    }
    return -1;
  }
}
