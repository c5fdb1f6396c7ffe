package org.sparkformer.bench;

import java.util.List;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.ops.MatMul;

/**
 * Matrix products of forms that no step of {@link KernelCases} has: batched ones, as attention
 * would be without a kernel of its own, and one of which both operands are transposed.
 */
final class ProductForms implements AutoCloseable {
  /** In place of a model's name. */
  static final String NAME = "forms";

  /** GPT-2 124M: 4 sequences of 12 heads of 64, 512 tokens each, and its query, key and value. */
  private static final int HEADS = 48;

  private static final int HEAD_SIZE = 64;
  private static final int LENGTH = 512;
  private static final int ROWS = 2048;
  private static final int WIDTH = 768;

  private final DrawnTensors tensors;
  private final DType operands;

  /**
   * @param operands what products take their operands as
   */
  ProductForms(Backend backend, DType operands) {
    this.tensors = new DrawnTensors(backend);
    this.operands = operands;
  }

  List<KernelCase> all() {
    return List.of(
        product("batched A B'", scores()),
        product("batched A B", mixture()),
        product("A' B'", bothTransposed()));
  }

  private KernelCase product(String name, MatMul product) {
    return KernelCase.product(NAME, name, "forward", product.with(operands));
  }

  /** Queries [48, 512, 64] by keys [48, 512, 64]. */
  private MatMul scores() {
    return MatMul.of(
        tensors.floats(HEADS, LENGTH, HEAD_SIZE),
        tensors.floats(HEADS, LENGTH, HEAD_SIZE),
        tensors.floats(HEADS, LENGTH, LENGTH),
        false,
        true);
  }

  /** Weights [48, 512, 512] by values [48, 512, 64]. */
  private MatMul mixture() {
    return MatMul.of(
        tensors.floats(HEADS, LENGTH, LENGTH),
        tensors.floats(HEADS, LENGTH, HEAD_SIZE),
        tensors.floats(HEADS, LENGTH, HEAD_SIZE),
        false,
        false);
  }

  /** [2048, 2304]' by [768, 2048]'. */
  private MatMul bothTransposed() {
    return MatMul.of(
        tensors.floats(ROWS, 3 * WIDTH),
        tensors.floats(WIDTH, ROWS),
        tensors.floats(3 * WIDTH, WIDTH),
        true,
        true);
  }

  @Override
  public void close() {
    tensors.close();
  }
}
