package org.sparkformer.data;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * GPT-2's bijection between the 256 bytes and 256 printable characters, by which byte-level
 * vocabularies are written: printable Latin-1 stands for itself, the other 68 bytes for U+0100 to
 * U+0143 in order (GPT-2's {@code bytes_to_unicode}).
 */
final class ByteAlphabet {
  private static final char[] CHARACTERS = characters();
  private static final short[] BYTES = bytes();

  private ByteAlphabet() {}

  static char character(int unsignedByte) {
    return CHARACTERS[unsignedByte];
  }

  /** The byte (0 to 255) that a character stands for, or -1. */
  static int unsignedByte(char character) {
    return character < BYTES.length ? BYTES[character] : -1;
  }

  static String write(byte[] bytes) {
    StringBuilder text = new StringBuilder(bytes.length);
    for (byte value : bytes) {
      text.append(CHARACTERS[value & 0xff]);
    }
    return text.toString();
  }

  /**
   * The bytes that a vocabulary entry stands for, or its UTF-8 where it is not written in this
   * alphabet.
   */
  static byte[] read(String text) {
    byte[] bytes = new byte[text.length()];
    for (int i = 0; i < bytes.length; i++) {
      int value = unsignedByte(text.charAt(i));
      if (value < 0) {
        return text.getBytes(StandardCharsets.UTF_8);
      }
      bytes[i] = (byte) value;
    }
    return bytes;
  }

  private static char[] characters() {
    char[] characters = new char[256];
    char next = 0x100;
    for (int value = 0; value < 256; value++) {
      boolean printable =
          (value >= '!' && value <= '~') || (value >= 0xa1 && value <= 0xff && value != 0xad);
      characters[value] = printable ? (char) value : next++;
    }
    return characters;
  }

  private static short[] bytes() {
    short[] bytes = new short[0x144];
    Arrays.fill(bytes, (short) -1);
    for (int value = 0; value < 256; value++) {
      bytes[CHARACTERS[value]] = (short) value;
    }
    return bytes;
  }
}
