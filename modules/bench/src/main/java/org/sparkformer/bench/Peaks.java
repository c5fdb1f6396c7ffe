package org.sparkformer.bench;

import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import org.sparkformer.opencl.Ceilings;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.tensor.DType;

/** What a device reached at its best, each measured once. */
final class Peaks {
  private final Ceilings ceilings;
  private final Map<DType, OptionalDouble> gflops = new EnumMap<>(DType.class);
  private double copyGbps;

  Peaks(OpenClBackend backend) {
    this.ceilings = new Ceilings(backend);
  }

  /** See {@link Ceilings#gflops}. */
  OptionalDouble gflops(DType operands) {
    return gflops.computeIfAbsent(operands, this::highest);
  }

  private OptionalDouble highest(DType operands) {
    if (ceilings.gflops(operands).isEmpty()) {
      return OptionalDouble.empty();
    }
    return OptionalDouble.of(Rounds.highest(() -> ceilings.gflops(operands).orElseThrow()));
  }

  /** See {@link Ceilings#copyGbps}. */
  double copyGbps() {
    if (copyGbps == 0) {
      copyGbps = Rounds.highest(ceilings::copyGbps);
    }
    return copyGbps;
  }

  /** For people. */
  String describe(DType operands) {
    String rounded = operands == DType.FLOAT32 ? "" : ", " + describe(gflops(operands), "bf16");
    return String.format(
        Locale.ROOT,
        "ceilings measured here: %s%s, %.1f GB/s copy",
        describe(gflops(DType.FLOAT32), "fp32"),
        rounded,
        copyGbps());
  }

  private static String describe(OptionalDouble gflops, String dtype) {
    return gflops.isPresent()
        ? String.format(Locale.ROOT, "%.0f GFLOP/s %s", gflops.getAsDouble(), dtype)
        : "none for " + dtype + " on tensor cores";
  }
}
