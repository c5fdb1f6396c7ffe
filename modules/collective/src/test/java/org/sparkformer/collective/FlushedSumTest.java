package org.sparkformer.collective;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.FloatBuffer;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class FlushedSumTest {
  @Test
  void denormalsCountAsZerosOfTheirSign() {
    float tiny = Float.MIN_VALUE;
    assertBits(0f, tiny, tiny);
    assertBits(-0f, -tiny, -tiny);
    assertBits(0f, tiny, -tiny);
    assertBits(-0f, -tiny, -0f);
    assertBits(1f, 1f, -tiny);
    assertBits(Float.MIN_NORMAL, Float.MIN_NORMAL, tiny);
    assertBits(Float.NaN, Float.NaN, tiny);
  }

  @Test
  void aDenormalResultKeepsOnlyItsSign() {
    float above = Math.nextUp(Float.MIN_NORMAL);
    assertBits(0f, above, -Float.MIN_NORMAL);
    assertBits(-0f, -above, Float.MIN_NORMAL);
    assertBits(Float.MIN_NORMAL, 2 * Float.MIN_NORMAL, -Float.MIN_NORMAL);
  }

  @Test
  void randomBitPatternsFollowTheDefinition() {
    Random random = new Random(3);
    FloatBuffer left = FloatBuffer.allocate(100_003);
    FloatBuffer right = FloatBuffer.allocate(left.limit());
    FloatBuffer sum = FloatBuffer.allocate(left.limit());
    for (int i = 0; i < left.limit(); i++) {
      left.put(i, Float.intBitsToFloat(random.nextInt() & 0x83ffffff));
      right.put(i, Float.intBitsToFloat(random.nextInt() & 0x83ffffff));
    }
    new FlushedSum().add(left, right, sum);
    for (int i = 0; i < left.limit(); i++) {
      assertEquals(bits(defined(left.get(i), right.get(i))), bits(sum.get(i)), "element " + i);
    }
  }

  /** Beside denormals, above and below where a plain addition is known to do. */
  @Test
  void singleSumsFollowTheDefinitionAtEveryScale() {
    Random random = new Random(4);
    for (int i = 0; i < 100_000; i++) {
      float left = Math.scalb(1 + (i % 3 == 0 ? 0 : random.nextFloat()), random.nextInt(40) - 126);
      float right = Float.intBitsToFloat(random.nextInt() & 0x807fffff);
      float other = i % 2 == 0 ? right : -left * (1 + random.nextInt(3) * 0x1p-23f);
      assertBits(defined(left, other), left, other);
    }
  }

  /** The rule, written another way. */
  static float defined(float left, float right) {
    return flushed(flushed(left) + flushed(right));
  }

  private static float flushed(float value) {
    return Math.abs(value) < Float.MIN_NORMAL ? Math.copySign(0f, value) : value;
  }

  private static void assertBits(float expected, float left, float right) {
    FloatBuffer sum = FloatBuffer.allocate(1);
    new FlushedSum().add(single(left), single(right), sum);
    assertEquals(bits(expected), bits(sum.get(0)), left + " + " + right);
  }

  private static FloatBuffer single(float value) {
    return FloatBuffer.wrap(new float[] {value});
  }

  private static int bits(float value) {
    return Float.floatToRawIntBits(value);
  }
}
