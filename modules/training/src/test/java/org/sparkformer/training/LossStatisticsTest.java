package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;

class LossStatisticsTest {
  private static final int WINDOW = 50;

  @Test
  void aWindowOfLossesHasTheirMeanAndVariance() {
    double[] losses = new Random(5).doubles(WINDOW, 2, 4).toArray();
    LossStatistics statistics = after(losses);
    double mean = 0;
    for (double loss : losses) {
      mean += loss / WINDOW;
    }
    double variance = 0;
    for (double loss : losses) {
      variance += (loss - mean) * (loss - mean) / WINDOW;
    }
    assertEquals(mean, statistics.mean(), 1e-12);
    assertEquals(variance, statistics.variance(), 1e-12);
  }

  /** By the definition: each loss weighs (1 - 1 / window) of the next one. */
  @Test
  void beyondTheWindowOldLossesFadeAway() {
    LossStatistics statistics = after(new Random(6).doubles(2000, 8, 10).toArray());
    double[] recent = new Random(7).doubles(2000, 2, 4).toArray();
    for (double loss : recent) {
      statistics = statistics.with(loss, WINDOW);
    }
    double mean = 0;
    double square = 0;
    for (int age = 0; age < recent.length; age++) {
      double weight = Math.pow(1 - 1.0 / WINDOW, age) / WINDOW;
      double loss = recent[recent.length - 1 - age];
      mean += weight * loss;
      square += weight * loss * loss;
    }
    assertEquals(mean, statistics.mean(), 1e-9);
    assertEquals(square - mean * mean, statistics.variance(), 1e-9);
  }

  @Test
  void aSpikeIsTenDeviationsUpAndNotDown() {
    LossStatistics statistics = after(new Random(8).doubles(WINDOW, 2, 4).toArray());
    double deviation = Math.sqrt(statistics.variance());
    assertTrue(statistics.isSpike(statistics.mean() + 10 * deviation, 9.9, WINDOW));
    assertFalse(statistics.isSpike(statistics.mean() + 10 * deviation, 10.1, WINDOW));
    assertFalse(statistics.isSpike(statistics.mean() - 20 * deviation, 9.9, WINDOW));
  }

  @Test
  void nothingIsASpikeBeforeAWindowOfLosses() {
    LossStatistics statistics = after(new Random(9).doubles(WINDOW - 1, 2, 4).toArray());
    assertFalse(statistics.isSpike(1e30, 1, WINDOW));
    assertTrue(statistics.with(3, WINDOW).isSpike(1e30, 1, WINDOW));
  }

  @Test
  void staysFiniteWhateverComes() {
    LossStatistics statistics = after(3, 2, 4);
    for (double loss :
        new double[] {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY}) {
      assertEquals(statistics, statistics.with(loss, WINDOW));
    }
  }

  @Test
  void aCheckpointKeepsEveryBit() throws Exception {
    LossStatistics statistics = after(new Random(10).doubles(77, 2, 4).toArray());
    assertEquals(statistics, Json.read(Json.pretty(statistics), LossStatistics.class));
  }

  private static LossStatistics after(double... losses) {
    LossStatistics statistics = LossStatistics.NONE;
    for (double loss : losses) {
      statistics = statistics.with(loss, WINDOW);
    }
    return statistics;
  }
}
