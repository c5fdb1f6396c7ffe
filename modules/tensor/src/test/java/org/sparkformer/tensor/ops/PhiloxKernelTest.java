package org.sparkformer.tensor.ops;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.sparkformer.tensor.Philox;

/** The words that kernels draw are those of the host, whose known answers PhiloxTest holds. */
class PhiloxKernelTest {
  private final DropoutApply.Definition kernel = new DropoutApply.Definition();

  @Test
  void agreesWithTheKnownAnswersOfRandom123() {
    long[] zeros = {0x6627e8d5L, 0xe169c58dL, 0xbc57ac4cL, 0x9b00dbd8L};
    long[] ones = {0x408f276dL, 0x41c83b0eL, 0xa20bc7c6L, 0x6d5451fdL};
    for (int lane = 0; lane < 4; lane++) {
      assertEquals(zeros[lane], kernel.word(lane, 0, 0, 0, 0));
      // Elements -4 to -1 have the counter whose bits are all ones.
      assertEquals(ones[lane], kernel.word(lane - 4, -1, -1, -1, -1));
    }
  }

  @Test
  void agreesWithTheHostOnAnyElementSeedSiteAndStep() {
    Random random = new Random(9);
    int[] words = new int[4];
    for (int i = 0; i < 1000; i++) {
      long element = random.nextLong() >>> 1 + random.nextInt(62);
      long seed = random.nextLong();
      int site = random.nextInt();
      int step = random.nextInt();
      Philox.block(element >> 2, site, step, seed, words);
      assertEquals(
          Integer.toUnsignedLong(words[(int) (element & 3)]),
          kernel.word(element, (int) seed, (int) (seed >>> 32), site, step));
    }
  }
}
