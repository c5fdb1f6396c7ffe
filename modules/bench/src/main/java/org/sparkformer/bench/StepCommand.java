package org.sparkformer.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.sparkformer.app.InputException;
import org.sparkformer.app.configuration.ConfigurationReader;
import org.sparkformer.opencl.DeviceInfo;
import org.sparkformer.opencl.DeviceSelector;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.training.configuration.RunConfiguration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sparkformer bench step CONFIG}. */
@Command(
    name = "step",
    description =
        "Whole training steps of a configuration, on random tokens, one rank, which exchanges"
            + " nothing: see bench ranks and bench hosts for steps of several.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Examples:",
      "  sparkformer bench step gpt-char-gpu --set training.batch_size=8 --peer eager,compile",
      "  sparkformer bench step bert-base --set model.context=128 --set training.batch_size=8 \\",
      "    --peer eager,compile",
      "  sparkformer bench step gpt2 --set model.context=512 --set training.batch_size=4 \\",
      "    --set training.micro_batch_size=4 --trace step.json"
    })
final class StepCommand implements Callable<Integer> {
  /** What a character tokenizer of English finds; where the configuration says nothing. */
  private static final int CHARACTERS = 65;

  private static final int FEWEST_STEPS = 10;

  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "CONFIG", description = "As for train.")
  private String file;

  @Option(names = "--set", paramLabel = "KEY=VALUE", description = "As for train.")
  private List<String> overrides = new ArrayList<>();

  @Option(names = "--device", defaultValue = "auto", description = "As for train.")
  private String device;

  @Option(
      names = "--peer",
      split = ",",
      paramLabel = "NAME",
      description =
          "PyTorch to take turns with, on the same device: eager, compile, eager-bf16,"
              + " compile-bf16. A virtual environment is made for it the first time, unless"
              + " PEER_PYTHON names a Python that has PyTorch.")
  private List<String> peers = new ArrayList<>();

  @Option(
      names = "--rounds",
      defaultValue = "5",
      description = "Turns (default ${DEFAULT-VALUE}); 10 steps or more in all.")
  private int rounds;

  @Option(
      names = "--steps",
      defaultValue = "5",
      description = "Steps a turn (default ${DEFAULT-VALUE}).")
  private int steps;

  @Option(names = "--json", description = "Also write the result to this file.")
  private Path json;

  @Option(
      names = "--trace",
      description =
          "Write one step's kernels and copies to this file, for chrome://tracing or Perfetto.")
  private Path trace;

  @Override
  public Integer call() throws InputException, IOException, InterruptedException {
    requireEnoughSteps();
    requireKnownPeers();
    RunConfiguration run = new ConfigurationReader().read(file, overrides).bind(CHARACTERS);
    List<PyTorchPeer> started = new ArrayList<>();
    try (OpenClBackend backend = OpenClBackend.open(new DeviceSelector(device))) {
      start(run, backend.device(), started);
      StepBench bench = new StepBench(backend, run, started, rounds, steps);
      StepResult result = bench.run();
      new StepTable(spec.commandLine().getOut()).print(result);
      if (json != null) {
        new ObjectMapper()
            .enable(SerializationFeature.INDENT_OUTPUT)
            .writeValue(json.toFile(), result);
      }
      if (trace != null) {
        ChromeTrace.write(trace, bench.trace());
      }
    } finally {
      for (PyTorchPeer peer : started) {
        peer.close();
      }
    }
    return 0;
  }

  private void requireEnoughSteps() throws InputException {
    if (rounds < 1 || steps < 1 || (long) rounds * steps < FEWEST_STEPS) {
      throw new InputException(
          "--rounds %d --steps %d: a median wants %d steps or more in all, as --rounds 5 --steps 2"
              .formatted(rounds, steps, FEWEST_STEPS));
    }
  }

  private void requireKnownPeers() throws InputException {
    for (String name : peers) {
      if (!PyTorchPeer.NAMES.contains(name)) {
        throw new InputException(
            "--peer: there is no '%s', only %s".formatted(name, PyTorchPeer.NAMES));
      }
    }
  }

  private void start(RunConfiguration run, DeviceInfo device, List<PyTorchPeer> started)
      throws IOException, InterruptedException {
    if (peers.isEmpty()) {
      return;
    }
    Path scripts = Path.of(System.getProperty("org.sparkformer.peers", "modules/bench/peers"));
    Path python = python(scripts.resolve("python.sh"));
    for (String name : peers) {
      started.add(PyTorchPeer.start(name, python, scripts.resolve("pytorch_step.py"), run, device));
    }
  }

  private static Path python(Path script) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(script.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String path =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    if (process.waitFor() != 0 || path.isEmpty()) {
      throw new IOException(script + " found and made no Python with PyTorch, see above");
    }
    return Path.of(path);
  }
}
