package org.sparkformer.data;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;

/** Decodes UTF-8 that arrives in pieces; what is broken becomes U+FFFD and is counted. */
public final class Utf8Decoder {
  private final CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
  private byte[] pending = new byte[0];
  private long replaced;

  /**
   * The text of the bytes, but for an incomplete character at the end, which waits for the next
   * call unless this is the last.
   */
  public String decode(byte[] bytes, int length, boolean last) {
    ByteBuffer input = input(bytes, length);
    CharBuffer output = CharBuffer.allocate(input.remaining() + 1);
    while (true) {
      CoderResult result = decoder.decode(input, output, last);
      if (!result.isError()) {
        break;
      }
      input.position(input.position() + brokenLength(input));
      output.put('\ufffd');
      replaced++;
    }
    pending = new byte[input.remaining()];
    input.get(pending);
    if (last) {
      decoder.reset();
    }
    return output.flip().toString();
  }

  private ByteBuffer input(byte[] bytes, int length) {
    if (pending.length == 0) {
      return ByteBuffer.wrap(bytes, 0, length);
    }
    return ByteBuffer.allocate(pending.length + length).put(pending).put(bytes, 0, length).flip();
  }

  /** How often U+FFFD was put in the place of broken bytes so far. */
  public long replaced() {
    return replaced;
  }

  /**
   * Bytes that one U+FFFD replaces: the longest start of a well-formed sequence, else one byte
   * (Unicode 15, section 3.9, "substitution of maximal subparts", which WHATWG, Rust and Python
   * follow; the JDK differs from it in places).
   */
  private static int brokenLength(ByteBuffer input) {
    int start = input.position();
    int lead = input.get(start) & 0xff;
    int continuations = lead < 0xc2 || lead > 0xf4 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    int length = 1;
    while (length <= continuations
        && start + length < input.limit()
        && continues(lead, length, input.get(start + length) & 0xff)) {
      length++;
    }
    return length;
  }

  /** Whether a byte can stand at this place after a lead byte (Unicode 15, table 3-7). */
  private static boolean continues(int lead, int place, int value) {
    int first = 0x80;
    int last = 0xbf;
    if (place == 1) {
      first = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : first;
      last = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : last;
    }
    return value >= first && value <= last;
  }
}
