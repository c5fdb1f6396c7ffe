package org.sparkformer.data;

/**
 * Decodes tokens one by one for printing while they are generated. A character whose bytes are
 * spread over several tokens comes out with the token that completes it; bytes that are not UTF-8
 * become U+FFFD. Not thread-safe.
 */
public final class StreamingDecoder {
  private final Tokenizer tokenizer;
  private final Utf8Decoder decoder = new Utf8Decoder();

  public StreamingDecoder(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /** The text that became complete with this token; may be empty. */
  public String append(int token) {
    byte[] bytes = tokenizer.tokenBytes(token);
    return decoder.decode(bytes, bytes.length, false);
  }

  /**
   * What is left at the end: U+FFFD for an incomplete character, else nothing. The decoder can then
   * be used again.
   */
  public String finish() {
    return decoder.decode(new byte[0], 0, true);
  }
}
