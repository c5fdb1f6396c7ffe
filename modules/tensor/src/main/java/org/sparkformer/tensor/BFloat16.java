package org.sparkformer.tensor;

/** Elements of {@link DType#BFLOAT16} on the host: the upper half of an fp32. */
public final class BFloat16 {
  private static final int BITS = 16;
  private static final int QUIET = 0x40;

  private BFloat16() {}

  /** The nearest bf16, ties to even; what is too large becomes infinite, NaN stays NaN. */
  public static short round(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (short) (bits >>> BITS | QUIET);
    }
    return (short) (bits + 0x7fff + (bits >>> BITS & 1) >>> BITS);
  }

  /** The same number as an fp32. */
  public static float widen(short value) {
    return Float.intBitsToFloat(value << BITS);
  }
}
