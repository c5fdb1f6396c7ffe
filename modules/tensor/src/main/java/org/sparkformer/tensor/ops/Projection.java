package org.sparkformer.tensor.ops;

import org.sparkformer.tensor.Tensor;

/**
 * Queries, keys or values inside a matrix that may hold more: row (sequence b, position t) of head
 * h starts at element {@code (b * length + t) * tensor.columns() + first + h * headSize}.
 *
 * @param tensor [B length, row stride]; the packed [B T, 3 C] matrix for all three, with {@code
 *     first} 0, C and 2 C
 * @param first column of head 0
 * @param length positions that the matrix holds for each sequence
 */
public record Projection(Tensor tensor, int first, int length) {

  /** Elements from one position to the next. */
  public int stride() {
    return tensor.columns();
  }
}
