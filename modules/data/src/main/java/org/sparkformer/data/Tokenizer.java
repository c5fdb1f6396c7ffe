package org.sparkformer.data;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.OptionalInt;

/**
 * Turns text into token ids and back. Implementations are immutable and safe for use by many
 * threads, and encode exactly as the Hugging Face tokenizers library does with {@link #toJson()} as
 * its {@code tokenizer.json}.
 */
public interface Tokenizer {

  /** Number of tokens; ids are {@code 0 .. vocabularySize() - 1}. */
  int vocabularySize();

  /**
   * Token ids of a text. Unpaired surrogates count as U+FFFD.
   *
   * @throws IllegalArgumentException where a character cannot be expressed in this vocabulary
   */
  int[] encode(String text);

  /**
   * The UTF-8 bytes that a token stands for; a token may hold part of a character.
   *
   * @throws IllegalArgumentException for an id outside the vocabulary
   */
  byte[] tokenBytes(int token);

  /**
   * The token of a text that stands for no text, such as {@code <|endoftext|>}, where the
   * vocabulary has it.
   */
  OptionalInt specialToken(String text);

  /** The token that ends a document, where the vocabulary has one. */
  default OptionalInt endOfText() {
    return specialToken(BpeModel.END_OF_TEXT);
  }

  /**
   * What follows each document of a corpus of several: end-of-text, else {@code [SEP]}, else a line
   * feed where the vocabulary has one, else nothing.
   */
  int[] documentSeparator();

  /**
   * The largest index at which the text can be cut without changing its tokens: {@code encode} of
   * what comes before, followed by {@code encode} of the rest and any text after it, equals {@code
   * encode} of the whole. 0 if there is none.
   */
  int safeCut(CharSequence text);

  /** The canonical {@code tokenizer.json} of the Hugging Face tokenizers library. */
  String toJson();

  /** The text of the tokens; bytes that are not UTF-8 become U+FFFD. */
  default String decode(int[] tokens) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(4 * tokens.length);
    for (int token : tokens) {
      bytes.writeBytes(tokenBytes(token));
    }
    return new Utf8Decoder().decode(bytes.toByteArray(), bytes.size(), true);
  }

  /** SHA-256 of {@link #toJson()} in UTF-8, in lower-case hexadecimal. */
  default String digest() {
    try {
      byte[] json = toJson().getBytes(StandardCharsets.UTF_8);
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(json));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("this Java run time lacks SHA-256", e);
    }
  }

  /**
   * Refuses a vocabulary larger than a model's.
   *
   * @throws IllegalArgumentException if the model has fewer embeddings than this tokenizer has
   *     tokens
   */
  default void requireFits(int modelVocabularySize) {
    if (vocabularySize() > modelVocabularySize) {
      throw new IllegalArgumentException(
          "the tokenizer has %d tokens but model.vocab_size is %d; raise model.vocab_size to at least %d"
              .formatted(vocabularySize(), modelVocabularySize, vocabularySize()));
    }
  }
}
