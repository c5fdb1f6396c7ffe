package org.sparkformer.collective;

import java.nio.FloatBuffer;

/**
 * Float addition as devices do it when built with {@code -cl-denorms-are-zero}: a denormal operand
 * or result counts as a zero of the same sign. Sums made on the host are then bit-identical with
 * sums made on a device.
 */
final class FlushedSum {
  private static final int EXPONENT = 0x7f800000;
  private static final int MAGNITUDE = 0x7fffffff;

  private FlushedSum() {}

  /**
   * Adds element by element: {@code sum[i] = left[i] + right[i]}.
   *
   * @param left at least as many elements as {@code sum}, from index 0
   * @param right at least as many elements as {@code sum}, from index 0
   * @param sum filled from index 0 to its limit; may be {@code left} or {@code right}
   */
  static void add(FloatBuffer left, FloatBuffer right, FloatBuffer sum) {
    int length = sum.limit();
    for (int i = 0; i < length; i++) {
      sum.put(i, add(left.get(i), right.get(i)));
    }
  }

  static float add(float left, float right) {
    return flush(flush(left) + flush(right));
  }

  /** Clears all but the sign where the exponent is zero, without a branch. */
  private static float flush(float value) {
    int bits = Float.floatToRawIntBits(value);
    int denormal = ((bits & EXPONENT) - 1) >> 31;
    return Float.intBitsToFloat(bits & ~(denormal & MAGNITUDE));
  }
}
