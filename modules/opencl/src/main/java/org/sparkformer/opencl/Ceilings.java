package org.sparkformer.opencl;

import org.sparkformer.tensor.Backend.Mark;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Copy;

/** Measures what a device can do at most: arithmetic in registers, and copying. */
public final class Ceilings {
  private static final int ROUNDS = 20_000;
  private static final double FLOPS_A_ROUND = 16 * 16 * 2;
  private static final int ITEMS_A_UNIT = 32;

  /** Elements that are copied: more than caches hold. */
  private static final long COPIED = 64L << 20;

  private final OpenClBackend backend;

  public Ceilings(OpenClBackend backend) {
    this.backend = backend;
  }

  /** 1e9 fp32 operations a second, a fused multiply-add counted as two. */
  public double gflops() {
    int items = ITEMS_A_UNIT * backend.device().computeUnits();
    try (Tensor y = backend.floats(16L * items)) {
      Mark begin = backend.mark();
      backend
          .launches()
          .kernel("ceilings.cl", "fma_rate")
          .tensor(y)
          .number(ROUNDS)
          .number(0.999f)
          .number(0.001f)
          .over(items, 1);
      double milliseconds = backend.mark().millisecondsSince(begin);
      return items * (double) ROUNDS * FLOPS_A_ROUND / milliseconds / 1e6;
    }
  }

  /** 1e9 bytes a second, read and written both counted, copying 256 MiB. */
  public double copyGbps() {
    try (Tensor x = backend.floats(COPIED);
        Tensor y = backend.floats(COPIED)) {
      backend.run(new Copy(x, y));
      Mark begin = backend.mark();
      backend.run(new Copy(x, y));
      return 2 * x.bytes() / backend.mark().millisecondsSince(begin) / 1e6;
    }
  }
}
