package org.sparkformer.collective;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;

/**
 * Floats rounded to bf16, to the nearest with ties to even, two in a word of 4 bytes. In each block
 * of 2048 floats word i holds float i in its lower and float i + 1024 in its upper half, so that
 * both directions are loops over neighbouring words, which Java 17 turns into vector instructions;
 * a shorter last block is halved likewise. NaN stays NaN; what is too large for bf16 becomes
 * infinite. Not thread safe.
 */
final class BFloat16Format {
  private static final int MAGNITUDE = 0x7fffffff;
  private static final int INFINITY = 0x7f800000;
  private static final int QUIET = 0x00400000;
  private static final int UPPER = 0xffff0000;
  private static final int HALF = 1024;
  private static final int BLOCK = 2 * HALF;

  private final FloatBuffer floats;
  private final IntBuffer bits;
  private final int[] lower = new int[HALF];
  private final int[] upper = new int[HALF];

  BFloat16Format() {
    ByteBuffer memory =
        ByteBuffer.allocateDirect(BLOCK * Float.BYTES).order(ByteOrder.nativeOrder());
    this.floats = memory.asFloatBuffer();
    this.bits = memory.asIntBuffer();
  }

  /** Bytes of so many floats: words of two. */
  static int bytes(int floats) {
    return (floats + 1) / 2 * Integer.BYTES;
  }

  /**
   * Rounds and packs.
   *
   * @param values from index 0 to their limit
   * @param packed receives {@link #bytes} bytes from its position on, little-endian
   */
  void write(FloatBuffer values, ByteBuffer packed) {
    IntBuffer words = words(packed);
    for (int from = 0; from < values.limit(); from += BLOCK) {
      int count = Math.min(BLOCK, values.limit() - from);
      int half = (count + 1) / 2;
      // A word without a partner: the rest of the upper half is never looked at.
      floats.put(0, values, from, count);
      bits.get(0, lower, 0, half);
      bits.get(half, upper, 0, count - half);
      pack(lower, upper);
      words.put(from / 2, lower, 0, half);
    }
  }

  /**
   * Unpacks.
   *
   * @param packed {@link #bytes} bytes from its position on, little-endian
   * @param values filled from index 0 to their limit
   */
  void read(ByteBuffer packed, FloatBuffer values) {
    IntBuffer words = words(packed);
    for (int from = 0; from < values.limit(); from += BLOCK) {
      int count = Math.min(BLOCK, values.limit() - from);
      int half = (count + 1) / 2;
      words.get(from / 2, lower, 0, half);
      unpack(lower, upper);
      bits.put(0, lower, 0, half);
      bits.put(half, upper, 0, count - half);
      values.put(from, floats, 0, count);
    }
  }

  private static IntBuffer words(ByteBuffer packed) {
    return packed.slice().order(ByteOrder.LITTLE_ENDIAN).asIntBuffer();
  }

  private static void pack(int[] lower, int[] upper) {
    for (int i = 0; i < HALF; i++) {
      lower[i] = rounded(lower[i]) >>> 16 | rounded(upper[i]) & UPPER;
    }
  }

  private static void unpack(int[] lower, int[] upper) {
    for (int i = 0; i < HALF; i++) {
      int word = lower[i];
      upper[i] = word & UPPER;
      lower[i] = word << 16;
    }
  }

  /** The upper 16 bits are the bf16; without a branch. Adding could carry a NaN over to zero. */
  private static int rounded(int word) {
    int nan = INFINITY - (word & MAGNITUDE) >> 31;
    int nearest = word + 0x7fff + (word >>> 16 & 1);
    return nearest & ~nan | (word | QUIET) & nan;
  }
}
