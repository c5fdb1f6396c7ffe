package org.sparkformer.data;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;

/**
 * One token a code point, numbered in the given order (ascending where trained here, as nanoGPT
 * does). A character outside the vocabulary is refused: the vocabulary has no "unknown" token.
 */
public final class CharacterTokenizer implements Tokenizer {
  private final int[] codePoints;
  private final Map<Integer, Integer> idOfCodePoint;

  /**
   * @param codePoints the character of each token id; distinct, no surrogates
   */
  public CharacterTokenizer(int[] codePoints) {
    this.codePoints = codePoints.clone();
    this.idOfCodePoint = new HashMap<>();
    for (int id = 0; id < codePoints.length; id++) {
      if (idOfCodePoint.putIfAbsent(codePoints[id], id) != null) {
        throw new IllegalArgumentException(
            "character %s stands twice in the vocabulary".formatted(name(codePoints[id])));
      }
    }
  }

  @Override
  public int vocabularySize() {
    return codePoints.length;
  }

  @Override
  public int[] encode(String text) {
    String wellFormed = WellFormed.text(text);
    int[] tokens = new int[wellFormed.length()];
    int count = 0;
    for (int i = 0; i < wellFormed.length(); count++) {
      int codePoint = wellFormed.codePointAt(i);
      tokens[count] = id(codePoint, i);
      i += Character.charCount(codePoint);
    }
    return count == tokens.length ? tokens : Arrays.copyOf(tokens, count);
  }

  private int id(int codePoint, int index) {
    Integer id = idOfCodePoint.get(codePoint);
    if (id == null) {
      throw new IllegalArgumentException(
          "the character %s at index %d is not among the %d of this character-level tokenizer; "
                  .formatted(name(codePoint), index, codePoints.length)
              + "leave it out, or train the tokenizer on text that holds it");
    }
    return id;
  }

  private static String name(int codePoint) {
    return "U+%04X '%s'".formatted(codePoint, Character.toString(codePoint));
  }

  @Override
  public byte[] tokenBytes(int token) {
    if (token < 0 || token >= codePoints.length) {
      throw new IllegalArgumentException(
          "token %d is outside the vocabulary of %d".formatted(token, codePoints.length));
    }
    return Character.toString(codePoints[token]).getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public OptionalInt specialToken(String text) {
    return OptionalInt.empty();
  }

  @Override
  public int[] documentSeparator() {
    Integer lineFeed = idOfCodePoint.get((int) '\n');
    return lineFeed == null ? new int[0] : new int[] {lineFeed};
  }

  @Override
  public int safeCut(CharSequence text) {
    int length = text.length();
    boolean splitsPair = length > 0 && Character.isHighSurrogate(text.charAt(length - 1));
    return splitsPair ? length - 1 : length;
  }

  @Override
  public String toJson() {
    return TokenizerJson.write(codePoints);
  }
}
