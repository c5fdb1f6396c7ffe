package org.sparkformer.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MaskedSamplesTest {
  private static final int CONTEXT = 34;
  private static final int TARGETS = 5;
  private static final Tokenizer MASKED =
      new BpeTokenizer(BpeTrainer.train(List.of(), 260, 1, MaskTokens.NAMES));
  private static final MaskTokens SPECIAL = MaskTokens.of(MASKED);

  @TempDir private Path folder;

  private TokenDataset dataset(String text, Tokenizer tokenizer) throws IOException {
    Path input = Files.writeString(folder.resolve("text.txt"), text);
    String output = folder.resolve("dataset").toString();
    Configuration configuration = new Configuration();
    LocalDataset.build(configuration, Corpus.of(input.toString()), output, tokenizer, 1000);
    return TokenDataset.open(configuration, output);
  }

  /** Letters of which no two windows are the same. */
  private static String letters(int count) {
    Random random = new Random(8);
    return IntStream.range(0, count)
        .mapToObj(i -> String.valueOf((char) ('a' + random.nextInt(26))))
        .collect(Collectors.joining());
  }

  private static Sequence read(Samples samples, long sample) throws IOException {
    Sequence sequence = samples.sequence();
    samples.read(sample, sequence);
    return sequence;
  }

  private static int[] restored(Sequence sequence) {
    int[] tokens = sequence.tokens().clone();
    for (int i = 0; i < TARGETS; i++) {
      tokens[sequence.positions()[i]] = sequence.targets()[i];
    }
    return tokens;
  }

  @Test
  void putsEachWindowBetweenItsEndsOnceAnEpoch() throws IOException {
    try (TokenDataset dataset = dataset(letters(1000), MASKED)) {
      MaskedSamples samples = new MaskedSamples(dataset, Split.TRAIN, CONTEXT, TARGETS, 1337);
      int[] all = new int[(int) dataset.tokens(Split.TRAIN)];
      dataset.read(Split.TRAIN, 0, all, 0, all.length);
      String text = Arrays.toString(all);
      Set<String> windows = new HashSet<>();
      int count = all.length / (CONTEXT - 2);
      for (int sample = 0; sample < count; sample++) {
        int[] tokens = restored(read(samples, sample));
        assertEquals(SPECIAL.start(), tokens[0]);
        assertEquals(SPECIAL.end(), tokens[CONTEXT - 1]);
        String window = Arrays.toString(Arrays.copyOfRange(tokens, 1, CONTEXT - 1));
        assertTrue(text.contains(window.substring(1, window.length() - 1)), window);
        assertTrue(windows.add(window), "twice: " + window);
      }
    }
  }

  @Test
  void hidesAsManyAsItSaysInEverySequenceAndNoSpecialToken() throws IOException {
    try (TokenDataset dataset = dataset("ab[SEP]".repeat(300), MASKED)) {
      MaskedSamples samples = new MaskedSamples(dataset, Split.TRAIN, CONTEXT, TARGETS, 7);
      for (int sample = 0; sample < 200; sample++) {
        Sequence sequence = read(samples, sample);
        int[] positions = sequence.positions();
        assertEquals(TARGETS, Arrays.stream(positions).distinct().count());
        assertArrayEquals(Arrays.stream(positions).sorted().toArray(), positions);
        for (int target : sequence.targets()) {
          assertTrue(target >= 0 && !SPECIAL.contains(target), "hidden: " + target);
        }
      }
    }
  }

  /** Of 20,000 hidden tokens: four standard deviations are 1.1 %, and 0.85 % of those of 10 %. */
  @Test
  void masksEightOfTenReplacesOneAndKeepsOne() throws IOException {
    try (TokenDataset dataset = dataset(letters(5000), MASKED)) {
      MaskedSamples samples = new MaskedSamples(dataset, Split.TRAIN, CONTEXT, TARGETS, 7);
      int masked = 0;
      int kept = 0;
      int[] places = new int[CONTEXT];
      for (int sample = 0; sample < 4000; sample++) {
        Sequence sequence = read(samples, sample);
        for (int i = 0; i < TARGETS; i++) {
          int token = sequence.tokens()[sequence.positions()[i]];
          masked += token == SPECIAL.mask() ? 1 : 0;
          kept += token == sequence.targets()[i] ? 1 : 0;
          places[sequence.positions()[i]]++;
        }
      }
      // One replacement of 260 is the mask or the token itself.
      assertEquals(0.8 + 0.1 / 260, masked / 20_000.0, 0.0113);
      assertEquals(0.1 + 0.1 / 260, kept / 20_000.0, 0.0085);
      for (int place = 1; place < CONTEXT - 1; place++) {
        // 20,000 / 32 = 625 each, with a deviation of 23.
        assertEquals(625, places[place], 4 * 23, "place " + place);
      }
      assertEquals(0, places[0] + places[CONTEXT - 1]);
    }
  }

  @Test
  void isAFunctionOfSeedAndSampleAlone() throws IOException {
    try (TokenDataset dataset = dataset(letters(1000), MASKED)) {
      MaskedSamples samples = new MaskedSamples(dataset, Split.TRAIN, CONTEXT, TARGETS, 7);
      Sequence tenth = read(samples, 10);
      Sequence reused = samples.sequence();
      samples.read(3, reused);
      samples.read(10, reused);
      assertArrayEquals(tenth.tokens(), reused.tokens());
      assertArrayEquals(tenth.positions(), reused.positions());
      assertArrayEquals(tenth.targets(), reused.targets());
      MaskedSamples other = new MaskedSamples(dataset, Split.TRAIN, CONTEXT, TARGETS, 8);
      assertNotEquals(
          Arrays.toString(tenth.positions()), Arrays.toString(read(other, 10).positions()));
    }
  }

  @Test
  void hidesOtherTokensInAnotherEpoch() throws IOException {
    try (TokenDataset dataset = dataset(letters(50), MASKED)) {
      // One window an epoch.
      MaskedSamples samples = new MaskedSamples(dataset, Split.TRAIN, CONTEXT, TARGETS, 7);
      Set<String> hidden = new HashSet<>();
      for (int epoch = 0; epoch < 10; epoch++) {
        hidden.add(Arrays.toString(read(samples, epoch).positions()));
      }
      assertEquals(10, hidden.size());
    }
  }

  /** What stands where tokens are hidden; 3 is the mask. */
  private static String hidden(Sequence sequence) {
    return Arrays.stream(sequence.positions())
        .map(i -> sequence.tokens()[i])
        .boxed()
        .toList()
        .toString();
  }

  /** Written down once: a resumed run of an older build must hide the same tokens. */
  @Test
  void keepsItsMasksForEver() throws IOException {
    try (TokenDataset dataset = dataset(letters(1000), MASKED)) {
      MaskedSamples samples = new MaskedSamples(dataset, Split.TRAIN, CONTEXT, TARGETS, 1337);
      Sequence first = read(samples, 0);
      assertEquals("[11, 13, 14, 15, 18]", Arrays.toString(first.positions()));
      assertEquals("[3, 123, 3, 3, 3]", hidden(first));
    }
  }

  @Test
  void hidesTheSameOfAnEvaluationWindowWhateverTheSeedAndTheirNumber() throws IOException {
    try (TokenDataset dataset = dataset(letters(2000), MASKED)) {
      MaskedSamples one = new MaskedSamples(dataset, Split.VALIDATION, CONTEXT, TARGETS, 1);
      MaskedSamples two = new MaskedSamples(dataset, Split.VALIDATION, CONTEXT, TARGETS, 2);
      assertEquals(200 / (CONTEXT - 2), one.evaluationWindows());
      Sequence a = one.sequence();
      Sequence b = two.sequence();
      one.evaluationWindow(1, 2, a);
      two.evaluationWindow(3, 6, b);
      assertArrayEquals(a.tokens(), b.tokens());
      assertArrayEquals(a.targets(), b.targets());
    }
  }

  @Test
  void leavesTargetsOverWhereThereIsTooLittleToHide() throws IOException {
    try (TokenDataset dataset = dataset("[SEP]".repeat(500), MASKED)) {
      MaskedSamples samples = new MaskedSamples(dataset, Split.TRAIN, CONTEXT, TARGETS, 7);
      assertArrayEquals(new int[] {-1, -1, -1, -1, -1}, read(samples, 0).targets());
    }
  }

  @Test
  void refusesATokenizerWithoutAMask() throws IOException {
    Tokenizer plain = new BpeTokenizer(BpeTrainer.train(List.of(), 257, 1));
    try (TokenDataset dataset = dataset(letters(1000), plain)) {
      IllegalArgumentException refused =
          assertThrows(
              IllegalArgumentException.class,
              () -> new MaskedSamples(dataset, Split.TRAIN, CONTEXT, TARGETS, 7));
      assertTrue(refused.getMessage().contains("masked-bpe"), refused.getMessage());
    }
  }

  @Test
  void refusesWindowsThatDoNotFit() throws IOException {
    try (TokenDataset dataset = dataset(letters(50), MASKED)) {
      for (int context : new int[] {2, 6, 48}) {
        assertThrows(
            IllegalArgumentException.class,
            () -> new MaskedSamples(dataset, Split.TRAIN, context, TARGETS, 7),
            "context " + context);
      }
    }
  }
}
