package org.sparkformer.app.command;

import java.io.PrintWriter;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import org.sparkformer.app.configuration.ConfigurationDraft;
import org.sparkformer.app.configuration.ConfigurationReader;
import org.sparkformer.app.configuration.Yaml;
import org.sparkformer.training.configuration.RunConfiguration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sparkformer train CONFIG}. */
@Command(
    name = "train",
    description = "Pretrains a model as a configuration says.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Examples:",
      "  sparkformer train conf/gpt-char.yaml --set data.input=my.txt",
      "  sparkformer train gpt2 --set data.dataset=hdfs:///data/text --master spark://host:7077",
      "YARN and Kubernetes take spark-submit: see deploy/README.md.",
      "",
      "A run that was stopped goes on from its newest checkpoint when the command is given again;"
          + " one that is complete does nothing. SIGTERM stops after a checkpoint, exit code 143.",
      "The output folder holds metrics.jsonl, run.json, checkpoints/ and report.html."
    })
public final class TrainCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private RunOptions options;

  @Parameters(
      paramLabel = "CONFIG",
      description = "A YAML file, or the name of a preset, such as gpt2.")
  private String file;

  @Option(
      names = "--dry-run",
      description = "Print the resolved configuration and the size of the model, and stop.")
  private boolean dryRun;

  @Override
  public Integer call() throws Exception {
    PrintWriter out = spec.commandLine().getOut();
    ConfigurationDraft draft = new ConfigurationReader().read(file, options.overrides());
    if (dryRun) {
      describe(draft, out);
      return 0;
    }
    String folder = options.outputOr("runs/" + draft.name());
    TrainingWorkflow workflow = new TrainingWorkflow(options, spec.commandLine());
    if (workflow.isFinished(draft, folder)) {
      return 0;
    }
    workflow.train(draft, folder, OptionalInt.empty());
    RunReport.write(folder, out);
    return 0;
  }

  private static void describe(ConfigurationDraft draft, PrintWriter out) throws Exception {
    RunConfiguration configuration = draft.bind(draft.vocabularySize().orElse(1));
    String yaml = Yaml.write(configuration);
    out.print(
        draft.vocabularySize().isPresent()
            ? yaml
            : yaml.replace("  vocab_size: 1\n", "  # vocab_size: as many as the tokenizer has\n"));
    out.printf(
        Locale.ROOT,
        "# %,d parameters%s%n",
        configuration.model().parameterCount(),
        draft.vocabularySize().isPresent()
            ? ""
            : " and "
                + configuration.model().width()
                + " for each further token of the vocabulary");
  }
}
