package org.sparkformer.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class CharacterTokenizerTest {

  private static CharacterTokenizer charactersOfTwoPlanes() {
    return new CharacterTokenizer(
        IntStream.rangeClosed(0, 0x1ffff)
            .filter(codePoint -> codePoint < 0xd800 || codePoint > 0xdfff)
            .toArray());
  }

  @Test
  void encodesAndDecodesAsHuggingFace() throws IOException {
    CharacterTokenizer ours = charactersOfTwoPlanes();
    List<String> texts =
        List.of(
            SampleTexts.multilingual(),
            "",
            "\0\r\n\u0085\u2028",
            "x".repeat(1 << 20),
            String.join("", SampleTexts.everyCodePoint().subList(0, 128)));
    try (HuggingFaceOracle theirs = HuggingFaceOracle.of(ours)) {
      for (String text : texts) {
        int[] tokens = ours.encode(text);
        assertArrayEquals(theirs.encode(text), tokens);
        assertEquals(text, ours.decode(tokens));
        assertEquals(text, theirs.decode(tokens));
      }
    }
  }

  @Test
  void refusesACharacterOutsideItsVocabularyAsHuggingFaceDoes() throws IOException {
    CharacterTokenizer ours = new CharacterTokenizer(new int[] {'a', 'b'});
    IllegalArgumentException error =
        assertThrows(IllegalArgumentException.class, () -> ours.encode("ab\nc"));
    assertTrue(error.getMessage().contains("U+000A"), error.getMessage());
    assertTrue(error.getMessage().contains("index 2"), error.getMessage());
    try (HuggingFaceOracle theirs = HuggingFaceOracle.of(ours)) {
      assertThrows(RuntimeException.class, () -> theirs.encode("ab\nc"));
    }
  }

  @Test
  void readsItsOwnJsonKeepingTheOrderOfItsCharacters() {
    CharacterTokenizer tokenizer = new CharacterTokenizer(new int[] {'z', 'a', 0x1f600, '\n'});
    Tokenizer read = Tokenizers.parse(tokenizer.toJson(), "test");
    assertArrayEquals(new int[] {2, 1, 3, 0}, read.encode("😀a\nz"));
    assertEquals(tokenizer.digest(), read.digest());
  }

  @Test
  void separatesDocumentsByALineFeedWhereItHasOne() {
    assertArrayEquals(
        new int[] {1}, new CharacterTokenizer(new int[] {'a', '\n'}).documentSeparator());
    assertArrayEquals(new int[0], new CharacterTokenizer(new int[] {'a'}).documentSeparator());
  }
}
