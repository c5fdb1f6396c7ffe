package org.sparkformer.opencl.contract;

import java.util.stream.IntStream;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Attention;
import org.sparkformer.tensor.ops.Dropout;

/** What an attention runs with, at some extents. */
record AttentionVariant(Extents extents, Dropout dropout, DType operands) {
  /** Rows are averages of up to T values, by weights that carry a relative error of about 1e-6. */
  private static final Tolerance FORWARD = new Tolerance(4e-6, 4e-6);

  /** Rounded weights carry a relative error of up to 2^-9, and average normal values. */
  private static final Tolerance ROUNDED_FORWARD = new Tolerance(0x1p-9, 0x1p-8);

  /**
   * @param padded whether later sequences have fewer keys
   */
  record Extents(int batch, int length, int heads, int headSize, boolean causal, boolean padded) {
    long rows() {
      return (long) batch * length;
    }

    int columns() {
      return heads * headSize;
    }

    @Override
    public String toString() {
      return "B%d T%d H%d D%d%s%s"
          .formatted(
              batch, length, heads, headSize, causal ? " causal" : "", padded ? " padded" : "");
    }
  }

  boolean rounds() {
    return operands == DType.BFLOAT16;
  }

  @Override
  public String toString() {
    return extents
        + (dropout.probability() > 0 ? " dropout from " + dropout.firstElement() : "")
        + (rounds() ? " of bf16" : "");
  }

  /** Standard normal values; where products may round them, such that it changes none. */
  Tensor input(Workspace w, String name, long... shape) {
    float[] values = Workspace.normal(name, shape);
    for (int i = 0; i < values.length && rounds(); i++) {
      values[i] = Float.intBitsToFloat(Float.floatToRawIntBits(values[i]) & 0xffff0000);
    }
    return w.given(name, values, shape);
  }

  Attention attention(Workspace w) {
    int[] lengths =
        IntStream.range(0, extents.batch())
            .map(b -> Math.max(1, extents.length() - 3 * b))
            .toArray();
    return new Attention(
        extents.batch(),
        extents.heads(),
        extents.headSize(),
        extents.length(),
        extents.length(),
        0,
        extents.causal(),
        extents.padded() ? w.integers("keyLengths", lengths, extents.batch()) : null,
        dropout,
        operands);
  }

  Tolerance forwardTolerance() {
    return rounds() ? ROUNDED_FORWARD : FORWARD;
  }

  /**
   * Sums over up to T rows of products of normal values, with the forward's errors. Rounded weights
   * carry a relative error of up to 2^-9. Those that a key has with all queries add up to 1 + 1/2 +
   * ... + 1/T where a mask leaves the first query one key, the second two and so on.
   */
  Tolerance backwardTolerance() {
    int length = extents.length();
    return rounds()
        ? new Tolerance(0x1p-9, 0x1p-8 * (1 + Math.log(length)))
        : new Tolerance(4e-6, 1e-5 * Math.sqrt(length));
  }
}
