package org.sparkformer.models.huggingface;

import java.util.OptionalInt;

/** The ids of a vocabulary's tokens that are no text, which {@code config.json} names. */
@FunctionalInterface
public interface SpecialTokens {
  /** Of a vocabulary without any. */
  SpecialTokens NONE = text -> OptionalInt.empty();

  /**
   * @param text such as {@code <|endoftext|>}
   * @return empty where the vocabulary has no such token
   */
  OptionalInt id(String text);

  /** As JSON has it. */
  default Integer idOrNull(String text) {
    OptionalInt id = id(text);
    return id.isPresent() ? id.getAsInt() : null;
  }
}
