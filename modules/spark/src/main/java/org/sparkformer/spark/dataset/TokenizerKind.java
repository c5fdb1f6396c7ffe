package org.sparkformer.spark.dataset;

import java.util.List;
import org.sparkformer.data.BpeModel;
import org.sparkformer.data.MaskTokens;

/** Vocabularies that can be trained. */
public enum TokenizerKind {
  /**
   * Every character of the corpus, in the order of their code points; with a line feed, to separate
   * documents, where the corpus has several.
   */
  CHARACTER(List.of()),

  /** Byte-level byte-pair encoding with GPT-2's pre-tokenizer. */
  BYTE_PAIR(List.of(BpeModel.END_OF_TEXT)),

  /** The same with the special tokens of masked-token prediction. */
  MASKED_BYTE_PAIR(MaskTokens.NAMES);

  private final List<String> specialTokens;

  TokenizerKind(List<String> specialTokens) {
    this.specialTokens = specialTokens;
  }

  /** Tokens that stand for no text; the first of the vocabulary. */
  public List<String> specialTokens() {
    return specialTokens;
  }
}
