package org.sparkformer.models;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BertTest extends ModelContract {
  private static final int LENGTH = 6;

  @Override
  ModelConfiguration tiny(int layers, boolean recompute) {
    return new BertConfiguration(layers, 2, 8, LENGTH, VOCABULARY, 0, recompute);
  }

  /** Two tokens a sequence, the last of which is to be ignored. */
  @Override
  Task task() {
    return new Task(LENGTH, new int[] {1, 4, LENGTH, 0}, new int[] {3, 0, 7, -1});
  }

  @ParameterizedTest
  @CsvSource({
    "12, 12, 768, 109514298, 109482240",
    "24, 16, 1024, 335174458, 335141888",
  })
  void hasAsManyParametersAsTransformersCounts(
      int layers, int heads, int width, long maskedLm, long model) {
    BertConfiguration bert = BertConfiguration.of(layers, heads, width, 512, 30522);
    assertEquals(maskedLm, bert.layout().parameterCount());
    assertEquals(maskedLm, bert.parameterCount());
    assertEquals(model, bert.publishedParameterCount());
  }
}
