package org.sparkformer.models.generation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Set;
import org.junit.jupiter.api.Test;

class SamplerTest {
  private static final int DRAWS = 20_000;

  /** Probabilities 0.1, 0.4, 0.2, 0.3 at temperature 1, up to a common factor. */
  private static final float[] LOGITS = {log(0.3), log(1.2), log(0.6), log(0.9)};

  private static float log(double x) {
    return (float) Math.log(x);
  }

  @Test
  void drawsByTheModelsProbabilities() {
    check(SamplingOptions.of(1), 0.1, 0.4, 0.2, 0.3);
  }

  @Test
  void temperatureIsAnExponent() {
    check(SamplingOptions.of(1).withTemperature(0.5), 1 / 30.0, 16 / 30.0, 4 / 30.0, 9 / 30.0);
  }

  @Test
  void topKKeepsTheLikeliestTokens() {
    check(SamplingOptions.of(1).withTopK(2), 0, 4 / 7.0, 0, 3 / 7.0);
    check(SamplingOptions.of(1).withTopK(9), 0.1, 0.4, 0.2, 0.3);
    check(SamplingOptions.of(1).withTopK(1), 0, 1, 0, 0);
  }

  @Test
  void topPKeepsTheTokenThatReachesTheSum() {
    check(SamplingOptions.of(1).withTopP(0.65), 0, 4 / 7.0, 0, 3 / 7.0);
    check(SamplingOptions.of(1).withTopP(0.75), 0, 4 / 9.0, 2 / 9.0, 3 / 9.0);
    check(SamplingOptions.of(1).withTopP(1e-9), 0, 1, 0, 0);
  }

  @Test
  void topPCountsWithinTopK() {
    check(SamplingOptions.of(1).withTopK(3).withTopP(0.5), 0, 4 / 7.0, 0, 3 / 7.0);
  }

  @Test
  void temperatureZeroTakesTheFirstOfTheLikeliest() {
    Sampler sampler = new Sampler(SamplingOptions.greedy(1));
    assertEquals(1, sampler.next(new float[] {-0f, 2, 2, Float.NEGATIVE_INFINITY}));
    assertEquals(0, sampler.next(new float[] {-1e30f, -2e30f}));
  }

  @Test
  void extremeLogitsAndTemperaturesStayFinite() {
    float[] logits = {-Float.MAX_VALUE, Float.MAX_VALUE, Float.NEGATIVE_INFINITY, 0};
    for (double temperature : new double[] {Double.MIN_VALUE, 1e-3, 1, 1e30}) {
      SamplingOptions options = SamplingOptions.of(1).withTemperature(temperature).withTopP(0.5);
      assertEquals(1, new Sampler(options).next(logits));
    }
  }

  @Test
  void refusesLogitsThatAreNoNumbers() {
    Sampler sampler = new Sampler(SamplingOptions.greedy(1));
    assertThrows(IllegalStateException.class, () -> sampler.next(new float[] {1, Float.NaN}));
    assertThrows(
        IllegalStateException.class, () -> sampler.next(new float[] {1, Float.POSITIVE_INFINITY}));
  }

  @Test
  void refusesOptionsOutOfRange() {
    SamplingOptions good = SamplingOptions.of(1);
    assertThrows(IllegalArgumentException.class, () -> SamplingOptions.of(-1));
    assertThrows(IllegalArgumentException.class, () -> good.withTemperature(-0.1));
    assertThrows(IllegalArgumentException.class, () -> good.withTemperature(Double.NaN));
    assertThrows(IllegalArgumentException.class, () -> good.withTopK(-1));
    assertThrows(IllegalArgumentException.class, () -> good.withTopP(0));
    assertThrows(IllegalArgumentException.class, () -> good.withTopP(1.1));
    assertEquals(Set.of(5), good.withStopTokens(Set.of(5)).stopTokens());
  }

  /** Frequencies lie within four standard deviations; what cannot be drawn never is. */
  private static void check(SamplingOptions options, double... expected) {
    Sampler sampler = new Sampler(options.withSeed(11));
    int[] counts = new int[expected.length];
    for (int i = 0; i < DRAWS; i++) {
      counts[sampler.next(LOGITS)]++;
    }
    for (int i = 0; i < expected.length; i++) {
      double deviation = Math.sqrt(DRAWS * expected[i] * (1 - expected[i]));
      assertEquals(DRAWS * expected[i], counts[i], 4 * deviation, "token " + i);
    }
  }
}
