package org.sparkformer.models.safetensors;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;

/** Element types of the format, under the names that files use; data is little-endian. */
public enum ElementType {
  BOOL(1),
  U8(1),
  I8(1),
  F8_E5M2(1),
  F8_E4M3(1),
  I16(2),
  U16(2),
  F16(2),
  BF16(2),
  I32(4),
  U32(4),
  F32(4),
  I64(8),
  U64(8),
  F64(8);

  private final int bytes;

  ElementType(int bytes) {
    this.bytes = bytes;
  }

  /** The type of a name; empty where the format, or this reader, has no such type. */
  public static Optional<ElementType> named(String name) {
    return Arrays.stream(values()).filter(type -> type.name().equals(name)).findFirst();
  }

  /** Bytes of one element. */
  public int bytes() {
    return bytes;
  }

  /** Whether {@link #nextFloat} reads it: every value is an fp32 value too. */
  public boolean widensToFloat() {
    return this == F32 || this == F16 || this == BF16;
  }

  /**
   * Reads one element from a little-endian buffer as fp32, without rounding.
   *
   * @throws IllegalArgumentException if the type is not F32, F16 or BF16
   */
  float nextFloat(ByteBuffer data) {
    return switch (this) {
      case F32 -> data.getFloat();
      case BF16 -> Float.intBitsToFloat(data.getShort() << 16);
      case F16 -> halfToFloat(data.getShort());
      default -> throw new IllegalArgumentException(this + " does not widen to fp32");
    };
  }

  /** IEEE 754 binary16 to binary32; Java 20 has it as Float.float16ToFloat. */
  private static float halfToFloat(short half) {
    int exponent = half >> 10 & 0x1F;
    int fraction = half & 0x3FF;
    float magnitude =
        switch (exponent) {
          case 0 -> fraction * 0x1p-24f;
          case 0x1F -> Float.intBitsToFloat(0x7F800000 | fraction << 13);
          default -> Float.intBitsToFloat(exponent + 112 << 23 | fraction << 13);
        };
    return half < 0 ? -magnitude : magnitude;
  }
}
