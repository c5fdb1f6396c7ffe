package org.sparkformer.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BpeTokenizerTest {

  private static Tokenizer tokenizer(String kind) throws IOException {
    return switch (kind) {
      case "gpt2" -> Tokenizers.named("gpt2");
      case "bytes" -> new BpeTokenizer(BpeTrainer.train(List.of(), 257, 1));
      default -> new BpeTokenizer(train(900));
    };
  }

  private static BpeModel train(int vocabularySize) throws IOException {
    Map<String, Long> counts = new HashMap<>();
    Words.forEach(SampleTexts.multilingual(), word -> counts.merge(word, 1L, Long::sum));
    List<WordCount> words = new ArrayList<>();
    counts.forEach((word, count) -> words.add(new WordCount(word, count)));
    Collections.shuffle(words, new Random(vocabularySize));
    return BpeTrainer.train(words, vocabularySize, 1);
  }

  private static void assertSameTokens(Tokenizer ours, List<String> texts) throws IOException {
    try (HuggingFaceOracle theirs = HuggingFaceOracle.of(ours)) {
      for (String text : texts) {
        int[] expected = theirs.encode(text);
        int[] found = ours.encode(text);
        String start = text.substring(0, Math.min(80, text.length()));
        assertArrayEquals(expected, found, () -> "tokens of «" + start + "»");
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "trained"})
  void encodesMultilingualTextAsHuggingFace(String kind) throws IOException {
    List<String> texts = new ArrayList<>(SampleTexts.multilingual().lines().toList());
    texts.add(SampleTexts.multilingual());
    texts.add("");
    assertSameTokens(tokenizer(kind), texts);
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "trained"})
  void encodesEveryCodePointAsHuggingFace(String kind) throws IOException {
    assertSameTokens(tokenizer(kind), SampleTexts.everyCodePoint());
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "trained"})
  void encodesLinesOfAMegabyteAsHuggingFace(String kind) throws IOException {
    assertSameTokens(tokenizer(kind), SampleTexts.longLines());
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "trained"})
  void encodesRandomTextAsHuggingFace(String kind) throws IOException {
    assertSameTokens(tokenizer(kind), SampleTexts.random(5000));
  }

  @Test
  void cutsPiecesAsHuggingFace() throws IOException {
    Tokenizer bytes = tokenizer("bytes");
    List<String> texts = new ArrayList<>(SampleTexts.everyCodePointAmongOthers());
    texts.addAll(SampleTexts.random(1000));
    try (HuggingFaceOracle theirs = HuggingFaceOracle.of(bytes)) {
      for (String text : texts) {
        assertArrayEquals(theirs.wordOfToken(text), pieceOfByte(text), text);
      }
    }
  }

  private static long[] pieceOfByte(String text) {
    long[] pieces = new long[text.getBytes(StandardCharsets.UTF_8).length];
    int filled = 0;
    int piece = 0;
    for (int start = 0; start < text.length(); piece++) {
      int end = PreTokenizer.pieceEnd(text, start);
      int length = text.substring(start, end).getBytes(StandardCharsets.UTF_8).length;
      Arrays.fill(pieces, filled, filled + length, piece);
      filled += length;
      start = end;
    }
    return pieces;
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "trained", "bytes"})
  void decodesWhatItEncoded(String kind) throws IOException {
    Tokenizer tokenizer = tokenizer(kind);
    for (String text : SampleTexts.random(500)) {
      assertEquals(text, tokenizer.decode(tokenizer.encode(text)));
    }
    String text = SampleTexts.multilingual();
    assertEquals(text, tokenizer.decode(tokenizer.encode(text)));
  }

  @Test
  void decodesBrokenSequencesAsHuggingFace() throws IOException {
    Tokenizer bytes = tokenizer("bytes");
    Random random = new Random(3);
    try (HuggingFaceOracle theirs = HuggingFaceOracle.of(bytes)) {
      for (int i = 0; i < 2000; i++) {
        int[] tokens = random.ints(1 + random.nextInt(12), 1, 257).toArray();
        assertEquals(theirs.decode(tokens), bytes.decode(tokens), () -> Arrays.toString(tokens));
      }
    }
  }

  @Test
  void takesUnpairedSurrogatesForReplacementCharacters() throws IOException {
    Tokenizer tokenizer = tokenizer("trained");
    assertArrayEquals(
        tokenizer.encode("a\ufffdb\ufffd😀\ufffd"), tokenizer.encode("a\ud83db\ude00😀\ud83d"));
  }

  @Test
  void learnsTheMergesThatHuggingFaceLearns() throws IOException {
    String golden = new String(SampleTexts.resource("bpe-golden.json"), StandardCharsets.UTF_8);
    assertEquals(
        Tokenizers.parse(golden, "bpe-golden.json").toJson(),
        new BpeTokenizer(train(900)).toJson());
  }

  @Test
  void learnsFewerTokensWhereTheWordsHoldNoMorePairs() {
    BpeModel model = BpeTrainer.train(List.of(new WordCount("abab", 3)), 1000, 1);
    assertEquals(List.of("ab", "abab"), model.vocabulary().subList(257, 259));
    assertEquals(259, model.vocabulary().size());
  }

  @Test
  void refusesAVocabularyTooSmallForTheBytes() {
    IllegalArgumentException error =
        assertThrows(IllegalArgumentException.class, () -> BpeTrainer.train(List.of(), 256, 1));
    assertTrue(error.getMessage().contains("model.vocab_size"), error.getMessage());
  }

  @Test
  void cutsWhereTokensStayTheSame() throws IOException {
    Tokenizer tokenizer = tokenizer("trained");
    String text = SampleTexts.multilingual();
    Random random = new Random(11);
    for (int i = 0; i < 300; i++) {
      int end = text.offsetByCodePoints(0, random.nextInt(text.codePointCount(0, text.length())));
      int cut = tokenizer.safeCut(text.substring(0, end));
      TokenList parts = new TokenList();
      parts.addAll(tokenizer.encode(text.substring(0, cut)));
      parts.addAll(tokenizer.encode(text.substring(cut)));
      assertArrayEquals(tokenizer.encode(text), parts.toArray());
    }
  }

  @Test
  void readsItsOwnJson() throws IOException {
    for (String kind : List.of("gpt2", "trained", "bytes")) {
      Tokenizer tokenizer = tokenizer(kind);
      Tokenizer read = Tokenizers.parse(tokenizer.toJson(), kind);
      assertEquals(tokenizer.digest(), read.digest());
      assertEquals(tokenizer.endOfText(), read.endOfText());
    }
  }
}
