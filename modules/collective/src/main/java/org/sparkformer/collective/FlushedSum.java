package org.sparkformer.collective;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;

/**
 * Float addition as devices do it when built with {@code -cl-denorms-are-zero}: a denormal operand
 * or result counts as a zero of the same sign. Sums made on the host are then bit-identical with
 * sums made on a device. Not thread safe.
 *
 * <p>Where a sum is zero, or not smaller than 2^-100, it is what a plain addition gives: a denormal
 * beside a float of 2^-101 or more is less than half a unit in its last place and vanishes either
 * way, and two that cancel leave +0 as their zeros do. So blocks are added plainly, and only those
 * with a smaller sum again, element by element.
 *
 * <p>Works on blocks that stay in the first-level cache, and moves them between float and int
 * arrays through direct memory: Java 17 turns loops over one kind of array into vector
 * instructions, but not conversions between float and its bits.
 */
final class FlushedSum {
  private static final int MAGNITUDE = 0x7fffffff;
  private static final int TINY = Float.floatToRawIntBits(0x1p-100f);
  private static final int BLOCK = 2048;
  private static final int FOLDED = BLOCK / 8;

  private final FloatBuffer floats;
  private final IntBuffer bits;
  private final int[] words = new int[BLOCK];
  private final float[] left = new float[BLOCK];
  private final float[] right = new float[BLOCK];
  private final float[] sum = new float[BLOCK];

  FlushedSum() {
    ByteBuffer memory =
        ByteBuffer.allocateDirect(BLOCK * Float.BYTES).order(ByteOrder.nativeOrder());
    this.floats = memory.asFloatBuffer();
    this.bits = memory.asIntBuffer();
  }

  /**
   * Adds element by element: {@code result[i] = one[i] + other[i]}.
   *
   * @param one at least as many elements as {@code result}, from index 0
   * @param other at least as many elements as {@code result}, from index 0
   * @param result filled from index 0 to its limit; may be {@code one} or {@code other}
   */
  void add(FloatBuffer one, FloatBuffer other, FloatBuffer result) {
    for (int from = 0; from < result.limit(); from += BLOCK) {
      int count = Math.min(BLOCK, result.limit() - from);
      one.get(from, left, 0, count);
      other.get(from, right, 0, count);
      add(left, right, sum);
      floats.put(0, sum, 0, count);
      bits.get(0, words, 0, count);
      if (holdsTiny(words)) {
        addFlushed(count);
      }
      result.put(from, sum, 0, count);
    }
  }

  /** Always the whole block, so that the loop's length is a constant. */
  private static void add(float[] left, float[] right, float[] sum) {
    for (int i = 0; i < BLOCK; i++) {
      sum[i] = left[i] + right[i];
    }
  }

  /** Whether a word is the bits of a float between 0 and 2^-100; overwrites the words. */
  private static boolean holdsTiny(int[] words) {
    for (int i = 0; i < BLOCK; i++) {
      int magnitude = words[i] & MAGNITUDE;
      words[i] = magnitude - TINY & ~(magnitude - 1);
    }
    for (int i = 0; i < FOLDED; i++) {
      words[i] |= words[i + FOLDED] | words[i + 2 * FOLDED] | words[i + 3 * FOLDED];
      words[i] |= words[i + 4 * FOLDED] | words[i + 5 * FOLDED];
      words[i] |= words[i + 6 * FOLDED] | words[i + 7 * FOLDED];
    }
    int any = 0;
    for (int i = 0; i < FOLDED; i++) {
      any |= words[i];
    }
    return any < 0;
  }

  private void addFlushed(int count) {
    for (int i = 0; i < count; i++) {
      sum[i] = flushed(flushed(left[i]) + flushed(right[i]));
    }
  }

  private static float flushed(float value) {
    return Math.abs(value) < Float.MIN_NORMAL ? Math.copySign(0f, value) : value;
  }
}
