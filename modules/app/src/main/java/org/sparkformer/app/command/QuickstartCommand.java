package org.sparkformer.app.command;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.Callable;
import org.sparkformer.app.InputException;
import org.sparkformer.app.configuration.ConfigurationDraft;
import org.sparkformer.app.configuration.ConfigurationReader;
import org.sparkformer.app.corpus.WordNetCorpus;
import org.sparkformer.app.model.LoadedModel;
import org.sparkformer.models.generation.SamplingOptions;
import org.sparkformer.opencl.DeviceSelector;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.spark.Cluster;
import org.sparkformer.training.RunFolder;
import org.sparkformer.training.RunSummary;
import org.sparkformer.training.configuration.DataConfiguration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code sparkformer quickstart}. */
@Command(
    name = "quickstart",
    description = "Pretrains a small GPT on WordNet's definitions: everything at work in minutes.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Unless told otherwise it runs Spark in local mode with two ranks, into runs/quickstart.",
      "The text is part of the program; the configuration is conf/quickstart.yaml."
    })
public final class QuickstartCommand implements Callable<Integer> {
  private static final int RANKS = 2;
  private static final int TOKENS = 60;
  private static final String CORPUS = "definitions.txt";
  private static final List<String> WORDS =
      List.of("river", "teacher", "music", "walk slowly", "beautiful", "sparkformer");

  @Spec private CommandSpec spec;
  @Mixin private RunOptions options;

  @Override
  public Integer call() throws Exception {
    PrintWriter out = spec.commandLine().getOut();
    String folder = options.outputOr("runs/quickstart");
    RunFolder run = RunFolder.of(Cluster.givenHadoop(), folder);
    run.requireNoFile();
    describeDevice(spec.commandLine().getErr());
    WordNetCorpus.writeTo(run, CORPUS);
    String input = DataConfiguration.join(List.of(run.resolve(CORPUS).toString()));
    List<String> overrides = new ArrayList<>(List.of("data.input=" + input));
    overrides.addAll(options.overrides());
    ConfigurationDraft draft = new ConfigurationReader().read("quickstart", overrides);
    RunSummary summary =
        new TrainingWorkflow(options, spec.commandLine())
            .train(draft, folder, OptionalInt.of(RANKS));
    sample(folder, summary.steps(), out);
    RunReport.write(folder, out);
    out.println();
    out.println("Next: ./sparkformer generate " + folder + " --prompt 'ocean:' --stop $'\\n'");
    return 0;
  }

  private void describeDevice(PrintWriter out) {
    if (options.device().equalsIgnoreCase("java")) {
      return;
    }
    try (OpenClBackend backend = OpenClBackend.open(new DeviceSelector(options.device()))) {
      out.println("device   " + backend.device());
      out.println("kernels  " + KernelList.text(backend.kernels()));
      out.flush();
    }
  }

  /** Lets the model define some words, on the screen and for the report. */
  private void sample(String folder, int step, PrintWriter out) throws IOException, InputException {
    List<String> lines = new ArrayList<>();
    ObjectMapper json = new ObjectMapper();
    try (LoadedModel model = LoadedModel.open(folder, options.device(), out::println)) {
      out.println();
      for (String word : WORDS) {
        String prompt = word + ":";
        StringBuilder text = new StringBuilder();
        SamplingOptions sampling = new SamplingOptions(TOKENS, 0.7, 40, 1, 1, Set.of());
        model.generate(prompt, sampling, List.of("\n"), text::append);
        out.println("  " + prompt + text);
        lines.add(
            json.writeValueAsString(
                Map.of("step", step, "prompt", prompt, "text", text.toString())));
      }
      out.println();
    }
    String text = String.join("\n", lines) + "\n";
    RunFolder.of(Cluster.givenHadoop(), folder)
        .replace("samples.jsonl", text.getBytes(StandardCharsets.UTF_8));
  }
}
