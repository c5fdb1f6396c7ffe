package org.sparkformer.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.sparkformer.models.ModelConfiguration;
import org.sparkformer.models.Objective;
import org.sparkformer.opencl.DeviceInfo;
import org.sparkformer.training.configuration.RunConfiguration;

/** {@code peers/pytorch_step.py} in a process of its own: the same steps in PyTorch. */
final class PyTorchPeer implements AutoCloseable {
  /** The ways to run it. */
  static final List<String> NAMES = List.of("eager", "compile", "eager-bf16", "compile-bf16");

  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final String name;
  private final Process process;
  private final BufferedReader answers;
  private final JsonNode description;

  private PyTorchPeer(String name, Process process) throws IOException {
    this.name = name;
    this.process = process;
    this.answers = process.inputReader(StandardCharsets.UTF_8);
    this.description = MAPPER.readTree(answer());
  }

  /**
   * Starts a peer and waits until its warm-up is over.
   *
   * @param name of {@link #NAMES}: {@code -bf16} is autocast
   * @param python interpreter that has PyTorch
   * @param device that it shall use too
   */
  static PyTorchPeer start(
      String name, Path python, Path script, RunConfiguration run, DeviceInfo device)
      throws IOException {
    boolean processor = device.kind() == DeviceInfo.Kind.CPU;
    ModelConfiguration model = run.model();
    boolean bf16 = name.endsWith("-bf16");
    String mode = bf16 ? name.substring(0, name.length() - "-bf16".length()) : name;
    List<Object> command =
        List.of(
            python,
            script,
            "--masked",
            model.objective() == Objective.MASKED_TOKENS ? run.targets() : 0,
            "--layers",
            model.layers(),
            "--heads",
            model.heads(),
            "--width",
            model.width(),
            "--context",
            model.context(),
            "--vocabulary",
            model.vocabularySize(),
            "--dropout",
            model.dropout(),
            "--batch",
            run.training().batchSize(),
            "--micro-batch",
            run.training().microBatchSize(),
            "--device",
            processor ? "cpu" : "cuda",
            "--threads",
            processor ? device.computeUnits() : Runtime.getRuntime().availableProcessors(),
            "--mode",
            mode,
            "--dtype",
            bf16 ? "bf16" : "fp32");
    ProcessBuilder builder = new ProcessBuilder(command.stream().map(Object::toString).toList());
    return new PyTorchPeer(name, builder.redirectError(ProcessBuilder.Redirect.INHERIT).start());
  }

  String name() {
    return name;
  }

  /** What the peer says it runs, and its peak memory. */
  JsonNode description() {
    return description;
  }

  /** Milliseconds of each of so many further steps. */
  double[] steps(int count) throws IOException {
    process.outputWriter().write(count + "\n");
    process.outputWriter().flush();
    return MAPPER.readValue(answer(), double[].class);
  }

  private String answer() throws IOException {
    String line = answers.readLine();
    if (line == null) {
      throw new IOException("PyTorch (" + name + ") has ended; its own words stand above");
    }
    return line;
  }

  @Override
  public void close() throws IOException {
    process.outputWriter().close();
    process.destroy();
  }
}
