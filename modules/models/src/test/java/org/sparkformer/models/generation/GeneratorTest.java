package org.sparkformer.models.generation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.sparkformer.models.DropoutSites;
import org.sparkformer.models.Golden;
import org.sparkformer.models.Gpt;
import org.sparkformer.models.ParameterLayout;
import org.sparkformer.models.TestBackend;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.autograd.Tape;
import org.sparkformer.tensor.ops.MatMul;

class GeneratorTest {
  private static final int CONTEXT = Golden.CONFIGURATION.context();

  private Backend backend;
  private Tensor weights;
  private Gpt gpt;
  private Generator generator;

  @BeforeEach
  void load() throws IOException {
    backend = TestBackend.JAVA.open();
    weights = Golden.weights(backend);
    gpt = new Gpt(Golden.CONFIGURATION, weights, null);
    generator = new Generator(backend, gpt, Golden.CONFIGURATION.vocabularySize());
  }

  @AfterEach
  void giveBack() {
    weights.close();
    backend.close();
  }

  @Test
  void greedyDecodingAgreesWithReadingEverythingAgainEachTime() {
    checkAgainstNaiveLoop(SamplingOptions.greedy(3 * CONTEXT));
  }

  @Test
  void samplingAgreesWithReadingEverythingAgainEachTime() {
    SamplingOptions options = SamplingOptions.of(3 * CONTEXT).withTemperature(1.5).withSeed(4);
    int[] tokens = checkAgainstNaiveLoop(options);
    assertTrue(Arrays.stream(tokens).distinct().count() > 10, "too dull to tell");
  }

  private int[] checkAgainstNaiveLoop(SamplingOptions options) {
    Sampler sampler = new Sampler(options);
    List<Integer> window = new ArrayList<>(List.of(7, 0, 60));
    List<Integer> expected = new ArrayList<>();
    for (int i = 0; i < options.maximumTokens(); i++) {
      if (window.size() > CONTEXT) {
        window = window.subList(window.size() - CONTEXT / 2, window.size());
      }
      int token = sampler.next(logits(window));
      window.add(token);
      expected.add(token);
    }
    int[] actual = generator.generate(new int[] {7, 0, 60}, options, token -> true);
    assertArrayEquals(expected.stream().mapToInt(token -> token).toArray(), actual);
    return actual;
  }

  private float[] logits(List<Integer> tokens) {
    try (Tape tape = new Tape(backend, false);
        Tensor input = backend.ints(1, tokens.size());
        Tensor logits = backend.floats(1, Golden.CONFIGURATION.vocabularySize())) {
      backend.write(input, tokens.stream().mapToInt(token -> token).toArray());
      Tensor hidden = gpt.hidden(tape, input, DropoutSites.NONE).value();
      Tensor embedding =
          ParameterLayout.view(
              weights, gpt.configuration().layout().parameter("transformer.wte.weight"));
      backend.run(MatMul.of(hidden.rows(tokens.size() - 1, 1), embedding, logits, false, true));
      return backend.readFloats(logits);
    }
  }

  @Test
  void rowsOfTheEmbeddingWithoutATokenAreNeverDrawn() {
    SamplingOptions options = SamplingOptions.of(3 * CONTEXT).withTemperature(5).withSeed(4);
    int[] all = generator.generate(new int[] {1}, options, token -> true);
    assertTrue(Arrays.stream(all).anyMatch(token -> token >= 10), "the whole table is drawn from");
    int[] few = new Generator(backend, gpt, 10).generate(new int[] {1}, options, token -> true);
    assertTrue(Arrays.stream(few).allMatch(token -> token < 10));
  }

  @Test
  void ofALongPromptTheLastTokensOfAContextCount() {
    int[] prompt = IntStream.range(0, 40).map(i -> i * 7 % 61).toArray();
    int[] tail = Arrays.copyOfRange(prompt, 40 - (CONTEXT - 1), 40);
    assertArrayEquals(
        generator.generate(tail, SamplingOptions.greedy(20), token -> true),
        generator.generate(prompt, SamplingOptions.greedy(20), token -> true));
  }

  @Test
  void theSeedDecidesWhatIsDrawn() {
    SamplingOptions options = SamplingOptions.of(30).withTopK(40).withTopP(0.95).withSeed(1);
    int[] first = generator.generate(new int[] {1}, options, token -> true);
    assertEquals(30, first.length);
    assertArrayEquals(first, generator.generate(new int[] {1}, options, token -> true));
    int[] other = generator.generate(new int[] {1}, options.withSeed(2), token -> true);
    assertFalse(Arrays.equals(first, other));
  }

  @Test
  void streamsEachTokenAndEndsWhenTheCallerHasEnough() {
    List<Integer> seen = new ArrayList<>();
    int[] all =
        generator.generate(
            new int[] {1},
            SamplingOptions.greedy(30),
            token -> {
              seen.add(token);
              return seen.size() < 4;
            });
    assertEquals(4, all.length);
    assertArrayEquals(all, seen.stream().mapToInt(token -> token).toArray());
  }

  @Test
  void endsBeforeAStopToken() {
    int[] free = generator.generate(new int[] {1}, SamplingOptions.greedy(30), token -> true);
    int stop = free[3];
    SamplingOptions options = SamplingOptions.greedy(30).withStopTokens(Set.of(stop));
    int first = IntStream.range(0, 4).filter(i -> free[i] == stop).findFirst().orElseThrow();
    assertArrayEquals(
        Arrays.copyOf(free, first),
        generator.generate(new int[] {1}, options, token -> token != stop));
  }

  @Test
  void generatesNothingWhereNothingIsAskedFor() {
    assertEquals(
        0, generator.generate(new int[] {1}, SamplingOptions.greedy(0), token -> true).length);
  }

  @Test
  void refusesAnEmptyPrompt() {
    assertThrows(
        IllegalArgumentException.class,
        () -> generator.generate(new int[0], SamplingOptions.greedy(1), token -> true));
  }
}
