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
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CausalSamplesTest {
  @TempDir private Path folder;

  /** Of {@code characters} distinct tokens 0, 1, 2, …, the first nine tenths train. */
  private TokenDataset dataset(int characters) throws IOException {
    int[] codePoints = IntStream.range(0x4e00, 0x4e00 + characters).toArray();
    String text = new String(codePoints, 0, characters);
    Path input = Files.writeString(folder.resolve("text.txt"), text);
    String output = folder.resolve("dataset").toString();
    Configuration configuration = new Configuration();
    LocalDataset.build(
        configuration,
        Corpus.of(input.toString()),
        output,
        new CharacterTokenizer(codePoints),
        1000);
    return TokenDataset.open(configuration, output);
  }

  @ParameterizedTest
  @CsvSource({"1000, 7", "1000, 64", "100, 1", "100, 44", "100, 45", "100, 89", "8000, 127"})
  void visitsEachWindowOnceAnEpoch(int characters, int context) throws IOException {
    try (TokenDataset dataset = dataset(characters)) {
      CausalSamples samples = new CausalSamples(dataset, Split.TRAIN, context, 1337);
      long count = samples.samplesPerEpoch();
      for (long epoch = 0; epoch < 5; epoch++) {
        long[] positions =
            LongStream.range(epoch * count, (epoch + 1) * count)
                .map(samples::position)
                .sorted()
                .toArray();
        assertTrue(positions[0] >= 0 && positions[0] < Math.max(context, 90));
        assertTrue(positions[positions.length - 1] + context < dataset.tokens(Split.TRAIN));
        for (int i = 1; i < positions.length; i++) {
          assertEquals(context, positions[i] - positions[i - 1]);
        }
      }
    }
  }

  @Test
  void readsTheWindowAtItsPosition() throws IOException {
    try (TokenDataset dataset = dataset(1000)) {
      CausalSamples samples = new CausalSamples(dataset, Split.TRAIN, 16, 5);
      Sequence sequence = samples.sequence();
      for (long sample = 0; sample < 500; sample++) {
        samples.read(sample, sequence);
        int position = (int) samples.position(sample);
        int[] window = IntStream.range(position, position + 17).toArray();
        assertArrayEquals(Arrays.copyOf(window, 16), sequence.tokens());
        assertArrayEquals(Arrays.copyOfRange(window, 1, 17), sequence.targets());
        assertArrayEquals(IntStream.range(0, 16).toArray(), sequence.positions());
      }
    }
  }

  @Test
  void drawsOtherOrdersAndPhasesForOtherEpochsAndSeeds() throws IOException {
    try (TokenDataset dataset = dataset(8000)) {
      Set<Long> phases = new HashSet<>();
      Set<String> orders = new HashSet<>();
      for (long seed = 0; seed < 3; seed++) {
        CausalSamples samples = new CausalSamples(dataset, Split.TRAIN, 64, seed);
        long count = samples.samplesPerEpoch();
        for (long epoch = 0; epoch < 4; epoch++) {
          long[] order =
              LongStream.range(epoch * count, (epoch + 1) * count).map(samples::position).toArray();
          phases.add(order[0] % 64);
          orders.add(LongStream.of(order).map(p -> p / 64).boxed().toList().toString());
          assertNotEquals(
              LongStream.of(order).sorted().boxed().toList(),
              LongStream.of(order).boxed().toList());
        }
      }
      assertEquals(12, orders.size());
      assertTrue(phases.size() > 6, phases.toString());
    }
  }

  /** Written down once: a resumed run of an older build must read the same samples. */
  @Test
  void keepsItsOrderForEver() throws IOException {
    try (TokenDataset dataset = dataset(1000)) {
      CausalSamples samples = new CausalSamples(dataset, Split.TRAIN, 64, 1337);
      long[] positions = LongStream.range(0, 16).map(samples::position).toArray();
      assertArrayEquals(
          new long[] {205, 781, 589, 717, 653, 461, 333, 397, 525, 77, 269, 141, 13, 811, 427, 43},
          positions);
    }
  }

  @Test
  void spreadsEvaluationWindowsOverTheSplit() throws IOException {
    try (TokenDataset dataset = dataset(1000)) {
      CausalSamples samples = new CausalSamples(dataset, Split.VALIDATION, 9, 0);
      assertEquals(11, samples.evaluationWindows());
      Sequence sequence = samples.sequence();
      int[] tokens = sequence.tokens();
      int[] targets = sequence.targets();
      long[] starts = new long[4];
      for (int i = 0; i < 4; i++) {
        samples.evaluationWindow(i, 4, sequence);
        starts[i] = tokens[0] - 900;
        assertEquals(tokens[0] + 9, targets[8]);
      }
      assertArrayEquals(new long[] {0, 2 * 9, 5 * 9, 8 * 9}, starts);
      samples.evaluationWindow(10, 11, sequence);
      assertEquals(999, targets[8]);
    }
  }

  @Test
  void refusesASplitThatIsTooSmallForOneWindow() throws IOException {
    try (TokenDataset dataset = dataset(100)) {
      new CausalSamples(dataset, Split.VALIDATION, 9, 0);
      IllegalArgumentException error =
          assertThrows(
              IllegalArgumentException.class,
              () -> new CausalSamples(dataset, Split.VALIDATION, 10, 0));
      assertTrue(error.getMessage().contains("validation"), error.getMessage());
      assertTrue(error.getMessage().contains("10 tokens"), error.getMessage());
      assertTrue(error.getMessage().contains("11"), error.getMessage());
    }
  }

  @ParameterizedTest
  @CsvSource({"1", "2", "3", "4", "5", "16", "17", "1000", "65537"})
  void permutesAnyNumberOfElements(int size) {
    Permutation permutation = new Permutation(size, 99);
    long[] sorted = LongStream.range(0, size).map(permutation::apply).sorted().toArray();
    assertArrayEquals(LongStream.range(0, size).toArray(), sorted);
  }
}
