package org.sparkformer.app.model;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.hadoop.conf.Configuration;
import org.sparkformer.app.InputException;
import org.sparkformer.data.StreamingDecoder;
import org.sparkformer.data.Tokenizer;
import org.sparkformer.data.Tokenizers;
import org.sparkformer.models.Gpt;
import org.sparkformer.models.LanguageModel;
import org.sparkformer.models.ModelConfiguration;
import org.sparkformer.models.generation.Generator;
import org.sparkformer.models.generation.SamplingOptions;
import org.sparkformer.models.generation.StopStrings;
import org.sparkformer.models.huggingface.HuggingFaceModel;
import org.sparkformer.opencl.DeviceSelector;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.spark.Cluster;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.reference.JavaBackend;

/** A trained model on a device, with its tokenizer. */
public final class LoadedModel implements AutoCloseable {
  private static final String JAVA = "java";

  private final Backend backend;
  private final Tensor parameters;
  private final ModelConfiguration configuration;
  private final LanguageModel model;
  private final Tokenizer tokenizer;

  private LoadedModel(
      Backend backend, Tensor parameters, ModelConfiguration configuration, Tokenizer tokenizer) {
    this.backend = backend;
    this.parameters = parameters;
    this.configuration = configuration;
    this.model = configuration.bind(parameters, null);
    this.tokenizer = tokenizer;
  }

  /**
   * Loads the weights.
   *
   * @param location folder of a run, of a checkpoint, or of a model as Hugging Face has it, on any
   *     Hadoop file system
   * @param device as for training: {@code auto}, {@code gpu}, {@code cpu}, an index, part of a
   *     name, or {@code java}
   * @param messages told which checkpoints were passed over
   */
  public static LoadedModel open(String location, String device, Consumer<String> messages)
      throws IOException, InputException {
    Configuration hadoop = Cluster.givenHadoop();
    Path folder = ModelFolder.find(hadoop, location, messages);
    Tokenizer tokenizer =
        Tokenizers.load(hadoop, folder.resolve("tokenizer.json").toUri().toString());
    ModelConfiguration configuration = HuggingFaceModel.configuration(folder);
    tokenizer.requireFits(configuration.vocabularySize());
    HuggingFaceModel.requireWeights(folder, configuration);
    Backend backend = backend(device);
    try {
      Tensor parameters = backend.floats(configuration.layout().size());
      HuggingFaceModel.load(folder, backend, configuration, parameters);
      return new LoadedModel(backend, parameters, configuration, tokenizer);
    } catch (IOException | RuntimeException failed) {
      backend.close();
      throw failed;
    }
  }

  private static Backend backend(String device) {
    return device.equalsIgnoreCase(JAVA)
        ? new JavaBackend(Runtime.getRuntime().availableProcessors())
        : OpenClBackend.open(new DeviceSelector(device));
  }

  public Backend backend() {
    return backend;
  }

  public ModelConfiguration configuration() {
    return configuration;
  }

  public LanguageModel model() {
    return model;
  }

  public Tokenizer tokenizer() {
    return tokenizer;
  }

  /**
   * Continues a prompt.
   *
   * @param stops the text ends before the first of these
   * @param text receives the new text piece by piece, as soon as whole characters are known
   * @throws InputException when the model is no GPT, or the prompt is empty and this vocabulary has
   *     no token to begin with
   */
  public void generate(
      String prompt, SamplingOptions options, List<String> stops, Consumer<String> text)
      throws InputException {
    if (!(model instanceof Gpt gpt)) {
      throw new InputException(
          "this model is a BERT: it fills in masked tokens and cannot continue a text");
    }
    StreamingDecoder decoder = new StreamingDecoder(tokenizer);
    StopStrings stop = new StopStrings(stops);
    Set<Integer> ends =
        tokenizer.endOfText().isPresent() ? Set.of(tokenizer.endOfText().getAsInt()) : Set.of();
    new Generator(backend, gpt, tokenizer.vocabularySize())
        .generate(
            start(prompt),
            options.withStopTokens(ends),
            token -> {
              text.accept(stop.append(decoder.append(token)));
              return !stop.stopped();
            });
    text.accept(stop.append(decoder.finish()) + stop.finish());
  }

  private int[] start(String prompt) throws InputException {
    int[] tokens = prompt.isEmpty() ? tokenizer.documentSeparator() : tokenizer.encode(prompt);
    if (tokens.length == 0) {
      throw new InputException("this model has no token to begin a text with: give a --prompt");
    }
    return tokens;
  }

  @Override
  public void close() {
    parameters.close();
    backend.close();
  }
}
