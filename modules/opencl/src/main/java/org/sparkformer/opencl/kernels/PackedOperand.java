package org.sparkformer.opencl.kernels;

import java.util.HashMap;
import java.util.Map;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.MatMul;

/**
 * An operand of a product as {@code matmul_packed.cl} takes it: bf16 in rows of whole chunks, as it
 * lies or as {@link #pack} makes it.
 *
 * @param source X of op(X), [rows, columns] or a batch of such
 * @param shared whether all products of the batch have the same
 * @param across whether the inner product goes down the columns of the source
 * @param rows of one matrix in memory
 * @param columns of it that the product takes
 */
record PackedOperand(Tensor source, boolean shared, boolean across, int rows, int columns) {
  private static final int ITEMS = 128;

  /** Elements that one copy moves, of 16 bytes. */
  static final int CHUNK = 8;

  /** Elements that a row is filled up to. */
  private static final int LINE = 64;

  static PackedOperand left(MatMul product) {
    boolean across = product.transposeA();
    int rows = across ? product.k() : product.m();
    int columns = across ? product.m() : product.k();
    return new PackedOperand(product.a(), product.strideA() == 0, across, rows, columns);
  }

  static PackedOperand right(MatMul product) {
    boolean across = !product.transposeB();
    int rows = across ? product.k() : product.n();
    int columns = across ? product.n() : product.k();
    return new PackedOperand(product.b(), product.strideB() == 0, across, rows, columns);
  }

  /** Whether it is multiplied as it lies. */
  boolean isReady() {
    return Elements.isBfloat16(source)
        && source.columns() % CHUNK == 0
        && source.offset() % CHUNK == 0;
  }

  /** Elements from one row to the next of what is multiplied. */
  int stride() {
    return isReady() ? source.columns() : Vectors.count(columns, LINE) * LINE;
  }

  /** Elements from one matrix of the batch to the next of what is multiplied. */
  long batchStride() {
    return shared ? 0 : (long) rows * stride();
  }

  /**
   * Queues the packing.
   *
   * @param file of the kernel {@code pack}
   * @return scratch memory, two elements in a float; null where the operand is ready
   */
  Tensor pack(String file, int batch, LaunchContext context) {
    if (isReady()) {
      return null;
    }
    Map<String, Integer> macros = new HashMap<>();
    macros.put("PTX", NvidiaDevice.ptx(context.device()));
    Elements.define(macros, "SOURCE_BF16", source);
    long all = (long) rows * (shared ? 1 : batch);
    Tensor packed = context.floats(all * stride() / 2);
    context
        .kernel(file, "pack", macros)
        .elements(source)
        .tensor(packed)
        .number(columns)
        .number(source.columns())
        .number(stride() / 2)
        .over(all, ITEMS);
    return packed;
  }
}
