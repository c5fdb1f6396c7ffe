package org.sparkformer.app.command;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.sparkformer.app.bench.KernelBench;
import org.sparkformer.opencl.DeviceSelector;
import org.sparkformer.opencl.OpenClBackend;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code sparkformer bench}. */
@Command(
    name = "bench",
    description = "Measures the kernels on this machine's device, at the shapes of one GPT block.",
    mixinStandardHelpOptions = true,
    footer = {"", "Run it on an otherwise idle machine."})
public final class BenchCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--device",
      paramLabel = "WHICH",
      defaultValue = "auto",
      description = "auto, gpu, cpu, an index or part of a name (default: ${DEFAULT-VALUE}).")
  private String device;

  @Option(
      names = "--tokens",
      paramLabel = "N",
      defaultValue = "1024",
      description = "Tokens of a micro-batch (default: ${DEFAULT-VALUE}).")
  private int tokens;

  @Option(
      names = "--width",
      paramLabel = "N",
      defaultValue = "768",
      description = "Width of the model (default: ${DEFAULT-VALUE}, GPT-2's).")
  private int width;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Override
  public Integer call() throws IOException {
    Positive.check("--tokens", tokens);
    Positive.check("--width", width);
    try (OpenClBackend backend = OpenClBackend.open(new DeviceSelector(device))) {
      print(backend.description(), new KernelBench(backend).run(tokens, width));
    }
    return 0;
  }

  private void print(String description, List<KernelBench.Result> results) throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(
          new ObjectMapper().writeValueAsString(Map.of("device", description, "kernels", results)));
      return;
    }
    out.println(description);
    for (KernelBench.Result result : results) {
      out.printf(
          "%-46s %10.1f us %9.1f %s%n",
          result.name(), result.microseconds(), result.rate(), result.unit());
    }
  }
}
