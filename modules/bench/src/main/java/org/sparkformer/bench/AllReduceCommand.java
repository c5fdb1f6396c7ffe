package org.sparkformer.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code sparkformer bench allreduce}. */
@Command(
    name = "allreduce",
    description =
        "All-reduce between processes of this machine, in turn with a bare copy of as many bytes"
            + " each way through a socket.",
    mixinStandardHelpOptions = true)
final class AllReduceCommand implements Callable<Integer> {
  private static final int MEBIBYTE = 1 << 20;

  @Spec private CommandSpec spec;

  @Option(
      names = "--ranks",
      split = ",",
      defaultValue = "2,4",
      description = "Numbers of processes (default ${DEFAULT-VALUE}).")
  private List<Integer> ranks;

  @Option(
      names = "--mib",
      split = ",",
      defaultValue = "1,4,25,100",
      description = "Sizes of the summed vector in MiB (default ${DEFAULT-VALUE}).")
  private List<Integer> sizes;

  @Option(names = "--rounds", defaultValue = "40", description = "Default ${DEFAULT-VALUE}.")
  private int rounds;

  @Option(
      names = "--warm-up",
      defaultValue = "10",
      description = "Seconds that each group of processes warms up (default ${DEFAULT-VALUE}).")
  private int warmUpSeconds;

  @Option(names = "--json", description = "Also write the rows to this file.")
  private Path json;

  /**
   * A line of the table.
   *
   * @param milliseconds median of one all-reduce
   * @param busGbps 1e9 bytes a second: 2 (ranks - 1) / ranks of the vector over the time, what each
   *     rank must at least send and receive (NCCL's bus bandwidth)
   * @param copyGbps of the bare copy, each way
   * @param ratio median over rounds of busGbps / copyGbps
   * @param cpuRatio the same of rank 0's processor time instead of the time that passed, which
   *     other work on the machine blurs less; counted in hundredths of a second, so it says nothing
   *     of small vectors
   */
  @JsonNaming(SnakeCaseStrategy.class)
  record Row(
      int ranks,
      int bytes,
      double milliseconds,
      double busGbps,
      double copyGbps,
      double ratio,
      double cpuRatio) {}

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    out.printf(
        "%5s %8s %10s %9s %11s %6s %6s%n",
        "ranks", "MiB", "ms", "bus GB/s", "copy GB/s", "ratio", "by CPU");
    List<Row> rows = new ArrayList<>();
    for (int count : ranks) {
      for (AllReduceRank.Times times : measure(count)) {
        Row row = row(count, times);
        rows.add(row);
        out.printf(
            Locale.ROOT,
            "%5d %8d %10.2f %9.2f %11.2f %6.2f %6.2f%n",
            row.ranks(),
            row.bytes() / MEBIBYTE,
            row.milliseconds(),
            row.busGbps(),
            row.copyGbps(),
            row.ratio(),
            row.cpuRatio());
        out.flush();
      }
    }
    if (json != null) {
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).writeValue(json.toFile(), rows);
    }
    return 0;
  }

  private static Row row(int ranks, AllReduceRank.Times times) {
    double share = 2.0 * (ranks - 1) / ranks;
    double milliseconds = Rounds.median(times.allReduce());
    return new Row(
        ranks,
        times.bytes(),
        milliseconds,
        share * times.bytes() / milliseconds / 1e6,
        times.bytes() / Rounds.median(times.rawCopy()) / 1e6,
        share * Rounds.medianRatio(times.rawCopy(), times.allReduce()),
        share * times.rawCopyCpu() / times.allReduceCpu());
  }

  private List<AllReduceRank.Times> measure(int count) throws IOException {
    List<Process> processes = new ArrayList<>();
    try {
      for (int rank = 0; rank < count; rank++) {
        processes.add(start(rank));
      }
      String addresses =
          processes.stream()
              .map(process -> next(process.inputReader(), AllReduceRank.SAYS_ADDRESS))
              .collect(Collectors.joining(","));
      for (Process process : processes) {
        process.outputWriter().write(addresses + "\n");
        process.outputWriter().flush();
      }
      List<AllReduceRank.Times> times = new ArrayList<>();
      for (int i = 0; i < sizes.size(); i++) {
        String line = next(processes.get(0).inputReader(), AllReduceRank.SAYS_TIMES);
        times.add(new ObjectMapper().readValue(line, AllReduceRank.Times.class));
      }
      return times;
    } finally {
      processes.forEach(Process::destroy);
    }
  }

  private Process start(int rank) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("java.class.path"),
            AllReduceRank.class.getName(),
            Integer.toString(rank),
            Integer.toString(rounds),
            Integer.toString(warmUpSeconds),
            sizes.stream()
                .map(mebibytes -> Integer.toString(Math.multiplyExact(mebibytes, MEBIBYTE)))
                .collect(Collectors.joining(",")))
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  private static String next(BufferedReader lines, String prefix) {
    return lines
        .lines()
        .filter(line -> line.startsWith(prefix))
        .map(line -> line.substring(prefix.length()))
        .findFirst()
        .orElseThrow(
            () -> new IllegalStateException("a rank's process has ended; its words stand above"));
  }
}
