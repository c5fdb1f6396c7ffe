package org.sparkformer.opencl.kernels;

import java.util.Arrays;
import java.util.stream.Collectors;

/** What {@code matmul.cl} multiplies with on a processor. */
public enum HostArithmetic {
  /** Vectors of fp32; operands of bf16 are rounded and stay fp32. */
  FP32("", 1),

  /** Vectors of pairs of bf16. */
  PAIRS(" (bf16 by AVX512_BF16)", 2),

  /** Tiles of pairs of bf16. */
  TILES(" (bf16 by AMX)", 2),

  /** Tiles of pairs of bf16, three of them the parts of fp32. */
  SPLIT(" (fp32 by AMX)", 2);

  /** Elements of the vectors that pairs and tiles come with, those of AVX-512. */
  static final int VECTOR = 16;

  private final String label;
  private final int step;

  HostArithmetic(String label, int step) {
    this.label = label;
    this.step = step;
  }

  /** For people, after a kernel's name. */
  String label() {
    return label;
  }

  /** Of all that this machine's processor has. */
  public static String labels() {
    return Arrays.stream(values())
        .filter(HostArithmetic::isAvailable)
        .map(HostArithmetic::label)
        .collect(Collectors.joining());
  }

  /** Steps of the inner product in a 32-bit word of an operand. */
  int step() {
    return step;
  }

  /** Of which an element of an operand is the sum. */
  int parts() {
    return this == SPLIT ? 3 : 1;
  }

  /** Words of so many steps of a row or column, whole where it multiplies by tiles. */
  int words(int depth) {
    return depth / step * parts();
  }

  /** Whether it is AMX's. */
  boolean isOfTiles() {
    return this == TILES || this == SPLIT;
  }

  /** Whether this machine's processor has it. */
  public boolean isAvailable() {
    return switch (this) {
      case FP32 -> true;
      case PAIRS -> HostProcessor.multipliesBfloat16();
      case TILES, SPLIT -> HostProcessor.multipliesTiles();
    };
  }
}
