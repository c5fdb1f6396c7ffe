package org.sparkformer.spark.dataset;

/** Vocabularies that can be trained. */
public enum TokenizerKind {
  /**
   * Every character of the corpus, in the order of their code points; with a line feed, to separate
   * documents, where the corpus has several.
   */
  CHARACTER,
  /** Byte-level byte-pair encoding with GPT-2's pre-tokenizer. */
  BYTE_PAIR
}
