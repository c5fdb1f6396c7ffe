package org.sparkformer.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class ScoreTest {
  @Test
  void guessingAmongFourScoresTwoBitsAToken() {
    Score score = new Score(10 * Math.log(4), 10, 20);
    assertEquals(Math.log(4), score.meanLoss(), 1e-12);
    assertEquals(4, score.perplexity(), 1e-12);
    assertEquals(1, score.bitsPerByte(), 1e-12);
    assertEquals(new Score(20 * Math.log(4), 20, 40), score.plus(score));
  }

  @Test
  void refusesToDivideByNothing() {
    assertThrows(IllegalArgumentException.class, () -> new Score(1, 0, 0));
    assertThrows(IllegalStateException.class, () -> new Score(1, 1, 0).bitsPerByte());
  }
}
