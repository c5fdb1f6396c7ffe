package org.sparkformer.data;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * Decodes tokens one by one for printing while they are generated. A character whose bytes are
 * spread over several tokens comes out with the token that completes it; bytes that are not UTF-8
 * become U+FFFD. Not thread-safe.
 */
public final class StreamingDecoder {
  private final Tokenizer tokenizer;
  private final CharsetDecoder decoder =
      StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPLACE)
          .onUnmappableCharacter(CodingErrorAction.REPLACE);
  private byte[] pending = new byte[0];

  public StreamingDecoder(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /** The text that became complete with this token; may be empty. */
  public String append(int token) {
    return decode(tokenizer.tokenBytes(token), false);
  }

  /**
   * What is left at the end: U+FFFD for an incomplete character, else nothing. The decoder can then
   * be used again.
   */
  public String finish() {
    String rest = decode(new byte[0], true);
    decoder.reset();
    return rest;
  }

  private String decode(byte[] bytes, boolean last) {
    ByteBuffer input = ByteBuffer.allocate(pending.length + bytes.length);
    input.put(pending).put(bytes).flip();
    CharBuffer output = CharBuffer.allocate(input.remaining() + 1);
    decoder.decode(input, output, last);
    if (last) {
      decoder.flush(output);
    }
    pending = new byte[input.remaining()];
    input.get(pending);
    return output.flip().toString();
  }
}
