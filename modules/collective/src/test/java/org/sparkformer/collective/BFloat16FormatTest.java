package org.sparkformer.collective;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class BFloat16FormatTest {
  private static final int STEP = 1 << 16;

  @Test
  void everyFloatIsRoundedToTheNearestWithTiesToEven() {
    Random random = new Random(5);
    FloatBuffer values = FloatBuffer.allocate(200_000);
    for (int i = 0; i < values.limit(); i++) {
      int tie = i % 3 == 0 ? 0x8000 : random.nextInt(STEP);
      float value = Float.intBitsToFloat(random.nextInt() & -STEP | tie);
      values.put(i, Float.isNaN(value) ? i : value);
    }
    FloatBuffer read = writtenAndRead(values);
    for (int i = 0; i < values.limit(); i++) {
      assertEquals(bits(rounded(values.get(i))), bits(read.get(i)), "of " + values.get(i));
    }
  }

  @Test
  void whatIsNotFiniteStaysSo() {
    float carriesOver = Float.intBitsToFloat(0x7fffffff);
    float quietedOnly = Float.intBitsToFloat(0xff800001);
    float[] special = {Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, carriesOver, quietedOnly};
    FloatBuffer read = writtenAndRead(FloatBuffer.wrap(special));
    assertEquals(Float.POSITIVE_INFINITY, read.get(0));
    assertEquals(Float.NEGATIVE_INFINITY, read.get(1));
    assertTrue(Float.isNaN(read.get(2)) && Float.isNaN(read.get(3)));
    float tooLarge = writtenAndRead(FloatBuffer.wrap(new float[] {Float.MAX_VALUE})).get(0);
    assertEquals(Float.POSITIVE_INFINITY, tooLarge);
  }

  @Test
  void everyLengthKeepsItsOrderInHalfTheBytes() {
    for (int length : new int[] {0, 1, 2, 3, 1023, 1024, 1025, 2047, 2048, 2049, 4095, 10_001}) {
      FloatBuffer values = FloatBuffer.allocate(length);
      for (int i = 0; i < length; i++) {
        values.put(i, rounded(i + 0.5f));
      }
      assertEquals((length + 1) / 2 * 4, BFloat16Format.bytes(length));
      assertEquals(values, writtenAndRead(values), length + " floats");
    }
  }

  /** The rule, written another way: of the two neighbours the nearer one, or the even one. */
  static float rounded(float value) {
    if (Float.isNaN(value) || Float.isInfinite(value)) {
      return value;
    }
    int below = Float.floatToRawIntBits(Math.abs(value)) & -STEP;
    double low = Float.intBitsToFloat(below);
    double high = below + STEP == 0x7f800000 ? 0x1p128 : Float.intBitsToFloat(below + STEP);
    double middle = (low + high) / 2;
    boolean up = Math.abs(value) > middle || Math.abs(value) == middle && (below & STEP) != 0;
    return Math.copySign(Float.intBitsToFloat(up ? below + STEP : below), value);
  }

  private static FloatBuffer writtenAndRead(FloatBuffer values) {
    BFloat16Format format = new BFloat16Format();
    ByteBuffer packed = ByteBuffer.allocate(5 + BFloat16Format.bytes(values.limit())).position(5);
    format.write(values, packed);
    FloatBuffer read = FloatBuffer.allocate(values.limit());
    format.read(packed, read);
    return read;
  }

  private static int bits(float value) {
    return Float.floatToRawIntBits(value);
  }
}
