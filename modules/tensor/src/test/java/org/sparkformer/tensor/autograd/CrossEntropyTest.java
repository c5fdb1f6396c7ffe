package org.sparkformer.tensor.autograd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class CrossEntropyTest {
  private static final int VOCABULARY = 50_257;
  private static final int ROWS = 8192;
  private static final long LARGE = 1L << 40;

  @Test
  void aChunkOfLogitsIsNoLargerThanOneTensorOfAnAcceleratorMayBe() {
    for (long largest = 1L << 20; largest <= LARGE; largest *= 2) {
      long rows = CrossEntropy.logitRows(ROWS, VOCABULARY, true, largest);
      long bytes = rows * VOCABULARY * Float.BYTES;
      assertTrue(bytes <= largest, rows + " rows where " + largest + " bytes are the most");
      assertTrue(4 * bytes > Math.min(largest, 1L << 30), "only " + rows + " rows");
    }
  }

  @Test
  void chunksAreAlikeAndHoldAllRows() {
    assertEquals(7, CrossEntropy.logitRows(7, 12, false, LARGE));
    assertEquals(ROWS / 2, CrossEntropy.logitRows(ROWS, VOCABULARY, true, LARGE));
    assertEquals(631, CrossEntropy.logitRows(ROWS, VOCABULARY, false, LARGE));
    assertEquals(1, CrossEntropy.logitRows(ROWS, VOCABULARY, true, 1000));
  }
}
