package org.sparkformer.app.command;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import org.sparkformer.app.InputException;
import org.sparkformer.app.model.Evaluation;
import org.sparkformer.app.model.LoadedModel;
import org.sparkformer.app.model.RecordedDataset;
import org.sparkformer.data.Samples;
import org.sparkformer.data.Split;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.models.Objective;
import org.sparkformer.spark.Cluster;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sparkformer evaluate DIR}. */
@Command(
    name = "evaluate",
    description = "Measures how well a model predicts a dataset; prints one JSON object.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "loss is in nats a token, perplexity e to that, accuracy the share of tokens that are the",
      "model's likeliest; bits_per_byte compares across tokenizers. A BERT is asked for hidden",
      "tokens only, the same ones every time."
    })
public final class EvaluateCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private DeviceOption device;

  @Parameters(
      paramLabel = "DIR",
      description =
          "Folder of a run (its newest checkpoint is taken), of a checkpoint, or of a Hugging Face"
              + " GPT-2 or BERT model.")
  private String location;

  @Option(
      names = "--dataset",
      paramLabel = "DIR",
      description = "A built dataset (default: the one that the run was trained on).")
  private String dataset;

  @Option(
      names = "--split",
      paramLabel = "SPLIT",
      defaultValue = "VALIDATION",
      description = "Part of the dataset: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private Split split;

  @Option(
      names = "--windows",
      paramLabel = "N",
      defaultValue = "2147483647",
      description =
          "Windows of the model's context to take, spread evenly (default: the whole split).")
  private int windows;

  @Option(
      names = "--batch",
      paramLabel = "N",
      defaultValue = "8",
      description = "Windows that go through the model at once (default: ${DEFAULT-VALUE}).")
  private int batch;

  @Option(
      names = "--mask-fraction",
      paramLabel = "F",
      description =
          "Share of the tokens to hide from a model that fills them in (default: "
              + "${DEFAULT-VALUE}).")
  private double maskFraction = Evaluation.MASK_FRACTION;

  @Override
  public Integer call() throws IOException, InputException {
    Positive.check("--windows", windows);
    Positive.check("--batch", batch);
    var notes = spec.commandLine().getErr();
    // The model first: of a folder that holds none, that is what there is to say.
    try (LoadedModel model = LoadedModel.open(location, device.value(), notes::println);
        TokenDataset tokens = openDataset()) {
      boolean fraction = spec.commandLine().getParseResult().hasMatchedOption("--mask-fraction");
      if (fraction && model.configuration().objective() != Objective.MASKED_TOKENS) {
        throw new InputException(
            "--mask-fraction: this model is a GPT, from which nothing is hidden");
      }
      Samples samples = Evaluation.samples(model, tokens, split, maskFraction);
      Evaluation evaluation = Evaluation.of(model, samples, windows, batch);
      spec.commandLine().getOut().println(new ObjectMapper().writeValueAsString(evaluation));
    }
    return 0;
  }

  private TokenDataset openDataset() throws IOException, InputException {
    Configuration hadoop = Cluster.givenHadoop();
    String uri = dataset == null ? RecordedDataset.find(hadoop, location) : dataset;
    return TokenDataset.open(hadoop, uri);
  }
}
