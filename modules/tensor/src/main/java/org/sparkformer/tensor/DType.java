package org.sparkformer.tensor;

/** Element type of a {@link Tensor}. Sums are always kept in fp32, whatever the element type. */
public enum DType {
  FLOAT32(4),
  /** Upper half of an fp32, rounded to nearest even. */
  BFLOAT16(2),
  INT32(4);

  private final int bytes;

  DType(int bytes) {
    this.bytes = bytes;
  }

  /** Bytes of one element. */
  public int bytes() {
    return bytes;
  }
}
