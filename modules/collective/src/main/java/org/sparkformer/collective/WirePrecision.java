package org.sparkformer.collective;

/** The number format in which partial sums cross from rank to rank. Sums are always fp32. */
public enum WirePrecision {
  /** As they are. */
  FP32,

  /**
   * Rounded to the nearest bf16, ties to even: half the bytes. Every rank's partial sums are
   * rounded alike, those that stay where they are too. What the partial sums are follows from the
   * number of ranks, so the sums' bits do too; one rank rounds nothing.
   */
  BF16;

  /** Bytes of so many numbers in a frame. */
  int bytes(int floats) {
    return this == FP32 ? floats * Float.BYTES : BFloat16Format.bytes(floats);
  }
}
