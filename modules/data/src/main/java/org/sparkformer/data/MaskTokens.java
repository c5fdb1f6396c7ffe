package org.sparkformer.data;

import java.util.List;
import java.util.OptionalInt;

/**
 * The special tokens of sequences with masked tokens, by BERT's names (Devlin et al.,
 * arXiv:1810.04805).
 *
 * @param padding {@code [PAD]}, fills short sequences
 * @param start {@code [CLS]}, begins a sequence
 * @param end {@code [SEP]}, ends a sequence and each document
 * @param mask {@code [MASK]}, stands where a token is hidden
 */
public record MaskTokens(int padding, int start, int end, int mask) {
  public static final String PADDING = "[PAD]";
  public static final String START = "[CLS]";
  public static final String END = "[SEP]";
  public static final String MASK = "[MASK]";

  /** All of them, in the order in which a vocabulary that is learned here begins. */
  public static final List<String> NAMES = List.of(PADDING, START, END, MASK);

  /**
   * Those of a vocabulary.
   *
   * @throws IllegalArgumentException if it lacks one
   */
  public static MaskTokens of(Tokenizer tokenizer) {
    return new MaskTokens(
        id(tokenizer, PADDING), id(tokenizer, START), id(tokenizer, END), id(tokenizer, MASK));
  }

  private static int id(Tokenizer tokenizer, String name) {
    OptionalInt id = tokenizer.specialToken(name);
    if (id.isEmpty()) {
      throw new IllegalArgumentException(
          "the tokenizer has no special token %s, which masked-token prediction needs; build the dataset with data.tokenizer: masked-bpe, or with a tokenizer.json that has %s"
              .formatted(name, String.join(", ", NAMES)));
    }
    return id.getAsInt();
  }

  /** Whether a token is one of them, which is never hidden. */
  boolean contains(int token) {
    return token == padding || token == start || token == end || token == mask;
  }
}
