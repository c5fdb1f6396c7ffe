package org.sparkformer.opencl;

import java.util.Map;
import org.sparkformer.tensor.Backend.Mark;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Copy;

/** Measures what a device can do at most: arithmetic in registers, and copying. */
public final class Ceilings {
  private static final int ROUNDS = 20_000;
  private static final double FLOPS_A_LANE = 16 * 2;

  /** Elements that are copied: more than caches hold. */
  private static final long COPIED = 64L << 20;

  private final OpenClBackend backend;

  public Ceilings(OpenClBackend backend) {
    this.backend = backend;
  }

  /** What keeps a compute unit busy: one item a vector unit, or groups of many. */
  private record Load(int items, int lanes, int groupsAUnit) {
    private static Load of(DeviceInfo.Kind kind) {
      return kind == DeviceInfo.Kind.CPU ? new Load(1, 16, 256) : new Load(256, 4, 8);
    }
  }

  /** 1e9 fp32 operations a second, a fused multiply-add counted as two. */
  public double gflops() {
    Load load = Load.of(backend.device().kind());
    long groups = (long) load.groupsAUnit() * backend.device().computeUnits();
    long lanes = groups * load.items() * load.lanes();
    try (Tensor y = backend.floats(lanes)) {
      Mark begin = backend.mark();
      backend
          .launches()
          .kernel("ceilings.cl", "fma_rate", Map.of("ITEMS", load.items(), "LANES", load.lanes()))
          .tensor(y)
          .number(ROUNDS)
          .number(0.999f)
          .number(0.001f)
          .over(groups, load.items());
      double milliseconds = backend.mark().millisecondsSince(begin);
      return lanes * (double) ROUNDS * FLOPS_A_LANE / milliseconds / 1e6;
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
