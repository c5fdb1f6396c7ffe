package org.sparkformer.data;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A byte-level byte-pair vocabulary as {@code tokenizer.json} holds it.
 *
 * @param vocabulary entry of each token id: bytes in {@link ByteAlphabet}, or an added token's own
 *     text
 * @param merges pairs of token ids by falling priority
 * @param addedTokens ids whose entries are found in the text before it is cut into pieces, e.g.
 *     {@code <|endoftext|>}
 * @param ignoreMerges whether a piece that is itself an entry becomes that token whatever the
 *     merges say
 */
public record BpeModel(
    List<String> vocabulary, List<Merge> merges, List<Integer> addedTokens, boolean ignoreMerges) {

  /** The entry that ends a document, by GPT-2's name. */
  public static final String END_OF_TEXT = "<|endoftext|>";

  /** Joins two tokens into the one whose entry is theirs, one after the other. */
  public record Merge(int left, int right) {}

  public BpeModel {
    vocabulary = List.copyOf(vocabulary);
    merges = List.copyOf(merges);
    addedTokens = List.copyOf(addedTokens);
  }

  /**
   * @throws IllegalArgumentException if an entry stands twice
   */
  Map<String, Integer> ids() {
    Map<String, Integer> ids = new HashMap<>();
    for (int id = 0; id < vocabulary.size(); id++) {
      if (ids.putIfAbsent(vocabulary.get(id), id) != null) {
        throw new IllegalArgumentException(
            "the token %s stands twice in the vocabulary".formatted(vocabulary.get(id)));
      }
    }
    return ids;
  }
}
