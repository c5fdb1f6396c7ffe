package org.sparkformer.data;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class Utf8DecoderTest {

  /** Sequences of the Unicode standard, section 3.9, tables 3-8 to 3-11, and truncated ones. */
  @ParameterizedTest
  @CsvSource({
    "c0afe080bff0818241, 8",
    "eda080edbfbfedaf41, 8",
    "f4919293ff4180bf42, 7",
    "e180e2f09192f1bf41, 4",
    "61f09f9882, 0",
    "61f09f98, 1",
    "61e2, 1",
    "80, 1"
  })
  void replacesEachBrokenPartOnce(String hex, int replaced) {
    byte[] bytes = HexFormat.of().parseHex(hex);
    for (int piece = 1; piece <= bytes.length; piece++) {
      Utf8Decoder decoder = new Utf8Decoder();
      StringBuilder text = new StringBuilder();
      for (int start = 0; start < bytes.length; start += piece) {
        byte[] part = Arrays.copyOfRange(bytes, start, Math.min(bytes.length, start + piece));
        text.append(decoder.decode(part, part.length, start + piece >= bytes.length));
      }
      assertEquals(replaced, decoder.replaced(), text.toString());
      assertEquals(replaced, text.chars().filter(value -> value == 0xfffd).count());
    }
  }

  @Test
  void neverSplitsACharacterWhereverTheBytesAreCut() {
    String text = "aé漢😀".repeat(50);
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    Random random = new Random(5);
    Utf8Decoder decoder = new Utf8Decoder();
    StringBuilder decoded = new StringBuilder();
    for (int start = 0; start < bytes.length; ) {
      int end = Math.min(bytes.length, start + 1 + random.nextInt(4));
      byte[] part = Arrays.copyOfRange(bytes, start, end);
      String piece = decoder.decode(part, part.length, end == bytes.length);
      assertEquals(0, WellFormed.unpaired(piece));
      decoded.append(piece);
      start = end;
    }
    assertEquals(text, decoded.toString());
    assertEquals(0, decoder.replaced());
  }

  @Test
  void streamsTokensThatHoldPartsOfCharacters() {
    Tokenizer bytes = new BpeTokenizer(BpeTrainer.train(List.of(), 257, 1));
    StreamingDecoder decoder = new StreamingDecoder(bytes);
    int[] tokens = bytes.encode("é😀");
    assertEquals("", decoder.append(tokens[0]));
    assertEquals("é", decoder.append(tokens[1]));
    assertEquals("", decoder.append(tokens[2]));
    assertEquals("\ufffd", decoder.finish());
    assertEquals("é", decoder.append(tokens[0]) + decoder.append(tokens[1]));
  }
}
