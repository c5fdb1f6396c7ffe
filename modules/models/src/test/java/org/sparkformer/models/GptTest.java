package org.sparkformer.models;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import org.junit.jupiter.api.Test;

class GptTest extends ModelContract {
  private static final int LENGTH = 5;

  @Override
  ModelConfiguration tiny(int layers, boolean recompute) {
    return new GptConfiguration(layers, 2, 8, LENGTH + 1, VOCABULARY, 0, recompute);
  }

  @Override
  Task task() {
    int[] targets = new Random(4).ints(2 * LENGTH, 0, VOCABULARY).toArray();
    return new Task(LENGTH, null, targets);
  }

  @Test
  void gptTwoHasThePublishedNumberOfParameters() {
    GptConfiguration small = GptConfiguration.of(12, 12, 768, 1024, 50257);
    assertEquals(124_439_808L, Gpt.layout(small).parameterCount());
    assertEquals(small.parameterCount(), Gpt.layout(small).parameterCount());
  }
}
