package org.sparkformer.data;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The classes of code points that GPT-2's pre-tokenizer tells apart, at one fixed Unicode version.
 */
final class UnicodeClasses {
  static final byte OTHER = 0;
  static final byte LETTER = 1;
  static final byte NUMBER = 2;
  static final byte SPACE = 3;

  private static final String RESOURCE = "unicode-classes.txt";
  private static final byte[] CLASSES = load();

  private UnicodeClasses() {}

  static byte of(int codePoint) {
    return CLASSES[codePoint];
  }

  static boolean isSpace(int codePoint) {
    return CLASSES[codePoint] == SPACE;
  }

  private static byte[] load() {
    byte[] classes = new byte[Character.MAX_CODE_POINT + 1];
    try (InputStream stream = UnicodeClasses.class.getResourceAsStream(RESOURCE);
        BufferedReader reader =
            new BufferedReader(new InputStreamReader(stream, StandardCharsets.US_ASCII))) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        if (!line.startsWith("#")) {
          fill(classes, line.split(" "));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the resource " + RESOURCE, e);
    }
    return classes;
  }

  private static void fill(byte[] classes, String[] range) {
    int first = Integer.parseInt(range[1], 16);
    int last = Integer.parseInt(range[range.length - 1], 16);
    Arrays.fill(classes, first, last + 1, (byte) (1 + "LNS".indexOf(range[0])));
  }
}
