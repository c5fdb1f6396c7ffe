package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class LearningRateScheduleTest {
  private final LearningRateSchedule schedule = new LearningRateSchedule(1e-3, 1e-4, 100, 2000);

  @Test
  void warmUpIsLinearAndEndsAtThePeak() {
    assertEquals(1e-3 / 101, schedule.at(0), 1e-12);
    assertEquals(1e-3 * 100 / 101, schedule.at(99), 1e-12);
    assertEquals(1e-3, schedule.at(100), 1e-12);
  }

  @Test
  void theCosineFallsFromPeakToMinimum() {
    assertEquals(5.5e-4, schedule.at(1050), 1e-12);
    assertEquals(1e-4, schedule.at(1999), 1e-9);
    assertEquals(1e-4, schedule.at(2000), 0);
    for (int step = 100; step < 2000; step++) {
      assertTrue(schedule.at(step + 1) < schedule.at(step), "step " + step);
    }
  }

  @Test
  void noWarmUpStartsAtThePeak() {
    assertEquals(1e-3, new LearningRateSchedule(1e-3, 0, 0, 10).at(0), 0);
  }

  @Test
  void warmUpMayCoverTheWholeRun() {
    LearningRateSchedule all = new LearningRateSchedule(1e-3, 1e-4, 10, 10);
    assertEquals(1e-3 * 10 / 11, all.at(9), 1e-12);
    assertEquals(1e-4, all.at(10), 0);
  }
}
