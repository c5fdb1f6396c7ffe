package org.sparkformer.opencl.kernels;

import java.util.HashMap;
import java.util.Map;
import org.sparkformer.opencl.LaunchContext;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.MatMul;

/**
 * An operand of a product that {@code matmul_packed.cl} packs: rounded to bf16, a row for each row
 * or column of C.
 *
 * @param source op(X) or its transpose
 * @param stride elements of the source from one matrix of the batch to the next; 0 where all share
 *     one
 * @param alongRows whether the inner product runs along the rows of the source
 * @param size M or N
 */
record PackedOperand(Tensor source, int stride, boolean alongRows, int size, int k) {
  private static final int ITEMS = 256;

  /** Rows and depth that a work-group packs: PACK_EDGE and PACK_DEPTH of the kernel. */
  private static final int EDGE = 32;

  private static final int DEPTH = 64;

  static PackedOperand left(MatMul product) {
    return new PackedOperand(
        product.a(), product.strideA(), !product.transposeA(), product.m(), product.k());
  }

  static PackedOperand right(MatMul product) {
    return new PackedOperand(
        product.b(), product.strideB(), product.transposeB(), product.n(), product.k());
  }

  /** Elements of a packed row: k filled up to what work-groups pack. */
  int depth() {
    return Vectors.count(k, DEPTH) * DEPTH;
  }

  /** Packed elements from one matrix of the batch to the next. */
  long packedStride() {
    return stride == 0 ? 0 : (long) size * depth();
  }

  /**
   * Queues the packing.
   *
   * @param file of the kernel {@code pack}
   * @param product macros of the product's program
   * @return scratch memory, two elements in a float
   */
  Tensor pack(String file, Map<String, Integer> product, int batch, LaunchContext context) {
    Map<String, Integer> macros = new HashMap<>(product);
    Elements.define(macros, "SOURCE_BF16", source);
    int matrices = stride == 0 ? 1 : batch;
    Tensor packed = context.floats((long) matrices * size * depth() / 2);
    context
        .kernel(file, "pack", macros)
        .elements(source)
        .tensor(packed)
        .number(stride)
        .number(alongRows ? 1 : 0)
        .number(size)
        .number(k)
        .over(
            new long[] {depth() / DEPTH, Vectors.count(size, EDGE), matrices},
            new long[] {ITEMS, 1, 1});
    return packed;
  }
}
