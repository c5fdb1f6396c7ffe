package org.sparkformer.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.sparkformer.app.InputException;
import org.sparkformer.app.Sparkformer;
import org.sparkformer.opencl.DeviceSelector;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.training.configuration.Precision;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The {@code sparkformer bench} command. */
@Command(
    name = "bench",
    description = "Measures this machine, beside its peers and in one run with them.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      StepCommand.class,
      AllReduceCommand.class,
      RanksCommand.class,
      HostsCommand.class
    })
public final class Bench {

  public static void main(String[] arguments) {
    CommandLine command = Sparkformer.commandLine().addSubcommand(new Bench());
    command.setCaseInsensitiveEnumValuesAllowed(true);
    System.exit(command.execute(withName(arguments)));
  }

  private static String[] withName(String[] arguments) {
    return Stream.concat(Stream.of("bench"), Stream.of(arguments)).toArray(String[]::new);
  }

  @Command(
      description =
          "Every kernel of a training step at the shapes of published models: time, rate, share of"
              + " the device's measured ceilings, and OpenBLAS beside the matrix products.",
      mixinStandardHelpOptions = true)
  int kernels(
      @Option(names = "--device", defaultValue = "auto", description = "As for train.")
          String device,
      @Option(names = "--only", defaultValue = "", description = "Rows whose op contains this.")
          String only,
      @Option(
              names = "--model",
              defaultValue = "",
              description =
                  "Models whose name contains this; forms: batched and doubly transposed products.")
          String model,
      @Option(
              names = "--precision",
              defaultValue = "FP32",
              description =
                  "As training.precision: what products take their operands as, and a step keeps"
                      + " of what they, attention and GELU read: fp32 or bf16.")
          Precision precision,
      @Option(names = "--json", description = "Also write the rows to this file.") Path json)
      throws InputException {
    List<ModelShape> shapes = shapes(model);
    List<KernelRow> rows = new ArrayList<>();
    Consumer<KernelRow> onRow =
        row -> {
          System.out.println(line(row));
          rows.add(row);
        };
    try (OpenClBackend backend = OpenClBackend.open(new DeviceSelector(device))) {
      System.out.println(backend.description());
      describePeer(backend.device().computeUnits());
      KernelBench bench = new KernelBench(backend, precision.operands());
      System.out.println(bench.ceilings());
      System.out.println(header());
      shapes.forEach(shape -> bench.run(shape, only, onRow));
      if (ProductForms.NAME.contains(model)) {
        bench.runForms(only, onRow);
      }
    }
    write(json, rows);
    return CommandLine.ExitCode.OK;
  }

  /** May be none where {@link ProductForms} are meant. */
  private static List<ModelShape> shapes(String model) throws InputException {
    List<ModelShape> shapes =
        ModelShape.ALL.stream().filter(shape -> shape.name().contains(model)).toList();
    if (shapes.isEmpty() && !ProductForms.NAME.contains(model)) {
      throw new InputException("--model: no shape's name contains '" + model + "'");
    }
    return shapes;
  }

  private static void describePeer(int threads) {
    OpenBlas.useThreads(threads);
    System.out.printf("%s with %d threads%n", OpenBlas.name(), threads);
    OpenBlasKernels.objection().ifPresent(text -> System.err.println("WARNING: " + text));
  }

  @Command(
      description = "One matrix product C = A B of [M, K] and [K, N]: time, rate, share of peak.",
      mixinStandardHelpOptions = true)
  int product(
      @Option(names = "--device", defaultValue = "auto", description = "As for train.")
          String device,
      @Option(
              names = "--precision",
              defaultValue = "FP32",
              description = "What it takes its operands as: fp32 or bf16.")
          Precision precision,
      @Parameters(paramLabel = "M") int m,
      @Parameters(paramLabel = "N") int n,
      @Parameters(paramLabel = "K") int k) {
    try (OpenClBackend backend = OpenClBackend.open(new DeviceSelector(device))) {
      System.out.println(backend.description());
      KernelBench bench = new KernelBench(backend, precision.operands());
      System.out.println(bench.ceilings());
      System.out.println(header());
      System.out.println(line(bench.product(m, n, k)));
    }
    return CommandLine.ExitCode.OK;
  }

  private static String header() {
    return String.format(
        Locale.ROOT,
        "%-32s %-28s %-17s %-5s %9s %9s %8s %6s %9s %6s",
        "op",
        "shape",
        "direction",
        "dtype",
        "ms",
        "GFLOP/s",
        "GB/s",
        "share",
        "OpenBLAS",
        "ratio");
  }

  private static String line(KernelRow row) {
    return String.format(
        Locale.ROOT,
        "%-32s %-28s %-17s %-5s %9.3f %9s %8.1f %6s %9s %6s",
        row.op(),
        row.shape(),
        row.direction(),
        row.dtype(),
        row.milliseconds(),
        row.gflops() == null ? "" : "%.1f".formatted(row.gflops()),
        row.gbps(),
        row.shareOfPeak() == null ? "" : "%.0f%%".formatted(100 * row.shareOfPeak()),
        row.peerGflops() == null ? "" : "%.1f".formatted(row.peerGflops()),
        row.ratio() == null ? "" : "%.2f".formatted(row.ratio()));
  }

  private static void write(Path json, List<KernelRow> rows) {
    if (json == null) {
      return;
    }
    try {
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).writeValue(json.toFile(), rows);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + json, e);
    }
  }
}
