package org.sparkformer.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import org.junit.jupiter.api.Test;

/** Known-answer vectors of Random123 (tests/kat_vectors, philox4x32 10). */
class PhiloxTest {
  @Test
  void agreesWithTheKnownAnswers() {
    check(0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8);
    check(-1, -1, -1, -1, 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd);
    check(
        0x85a308d3_243f6a88L,
        0x13198a2e,
        0x03707344,
        0x299f31d0_a4093822L,
        0xd16cfe09,
        0x94fdcceb,
        0x5001e420,
        0x24126ea1);
  }

  private static void check(long counter, int c2, int c3, long key, int... expected) {
    int[] words = new int[4];
    Philox.block(counter, c2, c3, key, words);
    assertArrayEquals(expected, words);
  }
}
