package org.sparkformer.bench;

import java.util.List;
import java.util.stream.LongStream;
import org.sparkformer.opencl.WorkItems;
import org.sparkformer.tensor.ops.MatMul;
import org.sparkformer.tensor.ops.Operation;

/**
 * What of an operation is computed by its definition: all of it, but of a product that would take
 * long only some rows of C, from the first to the last as far apart from each other as they go.
 *
 * @param parts of the definition's work-items
 */
record Sample(List<WorkItems> parts, boolean whole) {
  /** Multiply-adds: a second or less of two cores. */
  private static final double MOST = 1L << 29;

  static Sample of(Operation operation) {
    if (operation instanceof MatMul product) {
      long rows = (long) product.batch() * product.m();
      long taken = (long) Math.max(2, MOST / product.n() / product.k());
      if (taken < rows) {
        return rows(taken, rows, product.n());
      }
    }
    return new Sample(List.of(WorkItems.all(operation)), true);
  }

  private static Sample rows(long taken, long rows, int columns) {
    return new Sample(
        LongStream.range(0, taken)
            .map(row -> row * (rows - 1) / (taken - 1))
            .mapToObj(row -> new WorkItems(row * columns, columns))
            .toList(),
        false);
  }

  /**
   * The results that are expected of a tensor.
   *
   * @param defined what the definition gives where it was run
   * @param otherwise what is expected elsewhere
   */
  float[] over(float[] defined, float[] otherwise) {
    if (whole) {
      return defined;
    }
    float[] expected = otherwise.clone();
    for (WorkItems part : parts) {
      int first = Math.toIntExact(part.first());
      System.arraycopy(defined, first, expected, first, Math.toIntExact(part.count()));
    }
    return expected;
  }
}
