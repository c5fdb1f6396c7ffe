package org.sparkformer.opencl;

import java.util.OptionalDouble;
import org.sparkformer.tensor.Backend.Mark;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Copy;

/** Measures what a device can do at most: arithmetic in registers, and copying. */
public final class Ceilings {
  /** Elements that are copied: more than caches hold. */
  private static final long COPIED = 64L << 20;

  private final OpenClBackend backend;

  public Ceilings(OpenClBackend backend) {
    this.backend = backend;
  }

  /**
   * 1e9 operations a second of products with sums in fp32, a multiply-add counted as two.
   *
   * @param operands what products round their operands to
   * @return empty where no kernel measures what multiplies them on this device
   */
  public OptionalDouble gflops(DType operands) {
    return Rate.of(operands, backend.device())
        .map(rate -> OptionalDouble.of(gflops(rate)))
        .orElse(OptionalDouble.empty());
  }

  private double gflops(Rate rate) {
    long groups = (long) rate.groups() * backend.device().computeUnits();
    try (Tensor y = backend.floats(groups * rate.elements())) {
      Mark begin = backend.mark();
      run(rate, y, groups, rate.rounds());
      double milliseconds = backend.mark().millisecondsSince(begin);
      return groups * rate.rounds() * rate.operations() / milliseconds / 1e6;
    }
  }

  void run(Rate rate, Tensor y, long groups, int rounds) {
    backend
        .launches()
        .kernel(rate.file(), rate.kernel(), rate.macros())
        .tensor(y)
        .number(rounds)
        .number(1f)
        .over(groups, rate.items());
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
