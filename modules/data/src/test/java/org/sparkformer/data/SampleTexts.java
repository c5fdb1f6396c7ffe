package org.sparkformer.data;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Texts that tokenizers find difficult. */
final class SampleTexts {
  private static final int MEGABYTE = 1 << 20;

  private SampleTexts() {}

  static String multilingual() throws IOException {
    return new String(resource("multilingual.txt"), StandardCharsets.UTF_8);
  }

  static byte[] resource(String name) throws IOException {
    try (InputStream stream = SampleTexts.class.getResourceAsStream(name)) {
      return stream.readAllBytes();
    }
  }

  /** Every code point but the surrogates, 1024 to a text. */
  static List<String> everyCodePoint() {
    return codePointTexts(Character::toString);
  }

  /**
   * Every code point but the surrogates, with neighbours that show its class: all classes for what
   * this JDK knows, for the rest whether it is a letter and whether it is one of the three.
   */
  static List<String> everyCodePointAmongOthers() {
    return codePointTexts(
        codePoint -> {
          String character = Character.toString(codePoint);
          int type = Character.getType(codePoint);
          boolean unknown = type == Character.UNASSIGNED || type == Character.PRIVATE_USE;
          return "!"
              + character
              + "a"
              + (unknown ? "" : character + "1" + character + "  " + character);
        });
  }

  private static List<String> codePointTexts(IntFunction<String> form) {
    List<String> texts = new ArrayList<>();
    for (int start = 0; start <= Character.MAX_CODE_POINT; start += 1024) {
      texts.add(
          IntStream.range(start, start + 1024)
              .filter(codePoint -> codePoint < 0xd800 || codePoint > 0xdfff)
              .mapToObj(form)
              .collect(Collectors.joining()));
    }
    return texts;
  }

  /** Lines of a megabyte and more. */
  static List<String> longLines() throws IOException {
    Random random = new Random(7);
    StringBuilder word = new StringBuilder();
    random.ints(MEGABYTE, 'a', 'z' + 1).forEach(word::appendCodePoint);
    String paragraph = multilingual().replaceAll("\\s+", " ");
    return List.of(
        word.toString(),
        "a".repeat(MEGABYTE),
        " ".repeat(MEGABYTE) + "x",
        "-=".repeat(MEGABYTE / 2),
        "7".repeat(MEGABYTE) + "\n",
        "漢".repeat(MEGABYTE / 3),
        paragraph.repeat(MEGABYTE / paragraph.length() + 1));
  }

  /** Random strings over ranges that mix scripts, marks, spaces and contractions. */
  static List<String> random(int count) {
    Random random = new Random(42);
    int[] starts = {
      0, 0, 0x20, 0x20, 0xa0, 0x300, 0x400, 0x900, 0x2000, 0x3000, 0x4e00, 0xff00, 0x1f300, 0x10000
    };
    String[] pieces = {
      "'s", "'ll", "'re", "'", " ", "  ", "\n", "\r\n", "\u00a0", "\u0085", "\u001c", "\u200b"
    };
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      StringBuilder text = new StringBuilder();
      for (int length = random.nextInt(60); length > 0; length--) {
        if (random.nextInt(4) == 0) {
          text.append(pieces[random.nextInt(pieces.length)]);
        } else {
          text.appendCodePoint(starts[random.nextInt(starts.length)] + random.nextInt(128));
        }
      }
      texts.add(text.toString());
    }
    return texts;
  }
}
