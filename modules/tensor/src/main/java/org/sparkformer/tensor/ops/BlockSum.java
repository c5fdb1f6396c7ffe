package org.sparkformer.tensor.ops;

import com.aparapi.Kernel;
import org.sparkformer.tensor.Tensor;

/**
 * y[b] = sum of x[i], or of x[i]^2, over block b of {@link #BLOCK} consecutive elements.
 *
 * <p>Blocks are fixed, so a sum taken by applying this until one element is left does not depend on
 * the device's width or the number of ranks.
 */
public record BlockSum(Tensor x, @Output Tensor y, boolean squared) implements Operation {
  /** Elements of a block. */
  public static final int BLOCK = 1024;

  public BlockSum {
    Arguments.size("BlockSum", "y", y, blocks(x.size()));
  }

  /** Number of blocks that cover a tensor of this size. */
  public static long blocks(long size) {
    return (size + BLOCK - 1) / BLOCK;
  }

  public int size() {
    return Math.toIntExact(x.size());
  }

  @Override
  public long workItems() {
    return y.size();
  }

  @Override
  public Kernel definition() {
    return new Definition();
  }

  static final class Definition extends Kernel {
    float[] x;
    float[] y;
    int size;
    int squared;

    @Override
    public void run() {
      int block = getGlobalId();
      int end = min(size, (block + 1) * 1024);
      float sum = 0f;
      for (int i = block * 1024; i < end; i++) {
        sum += squared == 1 ? x[i] * x[i] : x[i];
      }
      y[block] = sum;
    }
  }
}
