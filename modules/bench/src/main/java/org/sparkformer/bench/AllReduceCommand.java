package org.sparkformer.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.sparkformer.collective.Algorithm;
import org.sparkformer.testkit.LoggedProcess;
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
  private List<Double> sizes;

  @Option(
      names = "--algorithm",
      split = ",",
      description =
          "one_shot, direct or ring for all sizes, one after the other (default: as ranks and size"
              + " say).")
  private List<Algorithm> algorithms = new ArrayList<>();

  @Option(
      names = "--connections",
      split = ",",
      defaultValue = "1",
      description = "Connections that each two processes keep (default ${DEFAULT-VALUE}).")
  private List<Integer> connections;

  @Option(names = "--rounds", defaultValue = "40", description = "Default ${DEFAULT-VALUE}.")
  private int rounds;

  @Option(
      names = "--warm-up",
      defaultValue = "10",
      description = "Seconds that each group of processes warms up (default ${DEFAULT-VALUE}).")
  private int warmUpSeconds;

  @Option(names = "--json", description = "Also write the rows to this file.")
  private Path json;

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    out.println(AllReduceRow.HEADER);
    List<AllReduceRow> rows = new ArrayList<>();
    for (Variant variant : variants()) {
      for (AllReduceRank.Times times : measure(variant)) {
        AllReduceRow row = AllReduceRow.of(variant, times);
        rows.add(row);
        out.println(row.line());
        out.flush();
      }
    }
    if (json != null) {
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).writeValue(json.toFile(), rows);
    }
    return 0;
  }

  /** How processes exchange; an empty algorithm leaves it to the rule. */
  record Variant(int ranks, int connections, String algorithm) {}

  private List<Variant> variants() {
    List<Variant> variants = new ArrayList<>();
    for (int count : ranks) {
      for (int each : connections) {
        for (String algorithm : algorithms()) {
          variants.add(new Variant(count, each, algorithm));
        }
      }
    }
    return variants;
  }

  private List<String> algorithms() {
    return algorithms.isEmpty() ? List.of("") : algorithms.stream().map(Algorithm::name).toList();
  }

  private List<AllReduceRank.Times> measure(Variant variant) throws IOException {
    List<Process> processes = new ArrayList<>();
    try {
      for (int rank = 0; rank < variant.ranks(); rank++) {
        processes.add(start(rank, variant));
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

  private Process start(int rank, Variant variant) throws IOException {
    List<String> command =
        LoggedProcess.java(
            List.of(),
            AllReduceRank.class,
            List.of(
                Integer.toString(rank),
                Integer.toString(variant.ranks()),
                Integer.toString(rounds),
                Integer.toString(warmUpSeconds),
                sizes.stream()
                    .map(mebibytes -> Integer.toString(floats(mebibytes) * Float.BYTES))
                    .collect(Collectors.joining(",")),
                Integer.toString(variant.connections()),
                variant.algorithm()));
    return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
  }

  private static int floats(double mebibytes) {
    return Math.toIntExact(Math.round(mebibytes * MEBIBYTE / Float.BYTES));
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
