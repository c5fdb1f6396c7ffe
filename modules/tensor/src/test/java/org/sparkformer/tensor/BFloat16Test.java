package org.sparkformer.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BFloat16Test {
  /** A bf16 has 8 bits: from 1 on it moves in steps of 1/128, and 1/256 is half of one. */
  @ParameterizedTest
  @CsvSource({
    "1, 1",
    "1.00390625, 1",
    "1.0039064, 1.0078125",
    "1.01171875, 1.015625",
    "-1.00390625, -1",
    "3.4e38, Infinity",
    "-3.4e38, -Infinity",
    "Infinity, Infinity",
    "0, 0"
  })
  void roundsToTheNearestAndTiesToEven(float value, float expected) {
    assertEquals(expected, BFloat16.widen(BFloat16.round(value)));
  }

  @Test
  void notANumberStaysSo() {
    for (int bits : new int[] {0x7f800001, 0x7fffffff, 0xff800001, 0xffffffff, 0x7fc00000}) {
      short rounded = BFloat16.round(Float.intBitsToFloat(bits));
      assertTrue(Float.isNaN(BFloat16.widen(rounded)), Integer.toHexString(bits));
    }
  }

  @Test
  void whatIsBfloat16AlreadyDoesNotChange() {
    new Random(5)
        .ints(1000, 0, 0x7f80)
        .forEach(half -> assertEquals(half, BFloat16.round(BFloat16.widen((short) half))));
  }
}
