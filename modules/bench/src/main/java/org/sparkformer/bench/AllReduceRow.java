package org.sparkformer.bench;

import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import java.util.Locale;

/**
 * A line of {@code bench allreduce}.
 *
 * @param connections between each two ranks
 * @param algorithm one for all sizes, or null where the rule chose
 * @param milliseconds median of one all-reduce
 * @param busGbps 1e9 bytes a second: 2 (ranks - 1) / ranks of the vector over the time, what each
 *     rank must at least send and receive (NCCL's bus bandwidth)
 * @param copyGbps of the bare copy, each way
 * @param ratio median over rounds of busGbps / copyGbps
 * @param cpuRatio the same of rank 0's processor time instead of the time that passed, which other
 *     work on the machine blurs less; counted in hundredths of a second, so it says nothing of
 *     small vectors, and is null where none was counted
 */
@JsonNaming(SnakeCaseStrategy.class)
record AllReduceRow(
    int ranks,
    int connections,
    String algorithm,
    int bytes,
    double milliseconds,
    double busGbps,
    double copyGbps,
    double ratio,
    Double cpuRatio) {
  private static final double MEBIBYTE = 1 << 20;

  static final String HEADER =
      "%5s %11s %9s %8s %10s %9s %11s %6s %6s"
          .formatted(
              "ranks",
              "connections",
              "algorithm",
              "MiB",
              "ms",
              "bus GB/s",
              "copy GB/s",
              "ratio",
              "by CPU");

  static AllReduceRow of(AllReduceCommand.Variant variant, AllReduceRank.Times times) {
    double share = 2.0 * (variant.ranks() - 1) / variant.ranks();
    double milliseconds = Rounds.median(times.allReduce());
    boolean counted = times.rawCopyCpu() > 0 && times.allReduceCpu() > 0;
    return new AllReduceRow(
        variant.ranks(),
        variant.connections(),
        variant.algorithm().isEmpty() ? null : variant.algorithm(),
        times.bytes(),
        milliseconds,
        share * times.bytes() / milliseconds / 1e6,
        times.bytes() / Rounds.median(times.rawCopy()) / 1e6,
        share * Rounds.medianRatio(times.rawCopy(), times.allReduce()),
        counted ? (Double) (share * times.rawCopyCpu() / times.allReduceCpu()) : null);
  }

  String line() {
    return String.format(
        Locale.ROOT,
        "%5d %11d %9s %8.3f %10.3f %9.2f %11.2f %6.2f %6s",
        ranks,
        connections,
        algorithm == null ? "" : algorithm.toLowerCase(Locale.ROOT),
        bytes / MEBIBYTE,
        milliseconds,
        busGbps,
        copyGbps,
        ratio,
        cpuRatio == null ? "-" : String.format(Locale.ROOT, "%.2f", cpuRatio));
  }
}
