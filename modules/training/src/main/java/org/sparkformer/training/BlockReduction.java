package org.sparkformer.training;

import java.util.ArrayList;
import java.util.List;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.BlockSum;

/**
 * Sums a vector on the device by applying {@link BlockSum} until one element is left: an order that
 * depends on the vector's length only.
 */
final class BlockReduction implements AutoCloseable {
  private final Backend backend;
  private final List<Tensor> levels = new ArrayList<>();

  /**
   * @param size largest vector that will be summed
   */
  BlockReduction(Backend backend, long size) {
    this.backend = backend;
    for (long left = BlockSum.blocks(size); left > 1; left = BlockSum.blocks(left)) {
      levels.add(backend.floats(left));
    }
  }

  /**
   * Sums the elements, or their squares, into {@code sum}.
   *
   * @param sum [1]
   */
  void run(Tensor x, Tensor sum, boolean squared) {
    Tensor from = x;
    boolean square = squared;
    for (Tensor level : levels) {
      long blocks = BlockSum.blocks(from.size());
      if (blocks == 1) {
        break;
      }
      Tensor to = level.view(0, blocks);
      backend.run(new BlockSum(from, to, square));
      from = to;
      square = false;
    }
    backend.run(new BlockSum(from, sum, square));
  }

  @Override
  public void close() {
    levels.forEach(Tensor::close);
  }
}
