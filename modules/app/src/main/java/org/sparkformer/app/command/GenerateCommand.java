package org.sparkformer.app.command;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import org.sparkformer.app.InputException;
import org.sparkformer.app.model.LoadedModel;
import org.sparkformer.models.generation.SamplingOptions;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sparkformer generate DIR}. */
@Command(
    name = "generate",
    description = "Lets a trained model continue a text.",
    mixinStandardHelpOptions = true,
    footer = {"", "The same seed, prompt and model give the same text on the same kind of device."})
public final class GenerateCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private DeviceOption device;

  @Parameters(
      paramLabel = "DIR",
      description =
          "Folder of a run (its newest checkpoint is taken), of a checkpoint, or of a Hugging Face"
              + " GPT-2 model.")
  private String location;

  @Option(
      names = "--prompt",
      paramLabel = "TEXT",
      defaultValue = "",
      description = "Text to continue (default: the start of a document).")
  private String prompt;

  @Option(
      names = "--tokens",
      paramLabel = "N",
      defaultValue = "256",
      description = "Most tokens to generate (default: ${DEFAULT-VALUE}).")
  private int tokens;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      defaultValue = "0.8",
      description =
          "Below 1 favours likely tokens, above 1 unlikely ones; 0 always takes the likeliest"
              + " (default: ${DEFAULT-VALUE}).")
  private double temperature;

  @Option(
      names = "--top-k",
      paramLabel = "K",
      defaultValue = "0",
      description =
          "Draw from the K likeliest tokens only; 0 from all (default: ${DEFAULT-VALUE}).")
  private int topK;

  @Option(
      names = "--top-p",
      paramLabel = "P",
      defaultValue = "1",
      description =
          "Draw only from the likeliest tokens that together have this probability (default:"
              + " ${DEFAULT-VALUE}, all).")
  private double topP;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "Another seed draws another text (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--stop",
      paramLabel = "TEXT",
      description = "End the text before this one; may be given several times.")
  private List<String> stops = List.of();

  @Override
  public Integer call() throws IOException, InputException {
    Positive.check("--tokens", tokens);
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter notes = spec.commandLine().getErr();
    SamplingOptions options =
        new SamplingOptions(tokens, temperature, topK, topP, seed, java.util.Set.of());
    try (LoadedModel model = LoadedModel.open(location, device.value(), notes::println)) {
      out.print(prompt);
      model.generate(
          prompt,
          options,
          stops,
          text -> {
            out.print(text);
            out.flush();
          });
    }
    out.println();
    return 0;
  }
}
