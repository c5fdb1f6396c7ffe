package org.sparkformer.models.huggingface;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.sparkformer.models.BertConfiguration;
import org.sparkformer.models.GptConfiguration;
import org.sparkformer.models.ModelConfiguration;
import org.sparkformer.models.safetensors.SafetensorsException;
import org.sparkformer.models.safetensors.SafetensorsReader;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;

/**
 * Models in local folders as transformers' {@code from_pretrained} and {@code save_pretrained} have
 * them: {@code config.json} and {@code model.safetensors}, or the weights in several files with an
 * index.
 */
public final class HuggingFaceModel {
  public static final String CONFIGURATION = "config.json";
  public static final String WEIGHTS = "model.safetensors";
  public static final String INDEX = "model.safetensors.index.json";

  private static final Set<String> MODEL_TYPES =
      new TreeSet<>(Set.of(HuggingFaceGpt2.MODEL_TYPE, HuggingFaceBert.MODEL_TYPE));

  /** Of a weight, as F16 or BF16. */
  private static final int LEAST_BYTES = 2;

  /** Of a file in the same folder. */
  private static final Pattern PLAIN_NAME = Pattern.compile("\\w[\\w.-]*");

  private HuggingFaceModel() {}

  /** Shape of the model in a folder. */
  public static ModelConfiguration configuration(Path folder) throws IOException {
    return ConfigurationFile.read(folder.resolve(CONFIGURATION), HuggingFaceModel::configuration);
  }

  private static ModelConfiguration configuration(ConfigurationFile file) {
    String type = file.text("model_type", "");
    file.require("model_type", type, MODEL_TYPES);
    return type.equals(HuggingFaceBert.MODEL_TYPE)
        ? HuggingFaceBert.read(file)
        : HuggingFaceGpt2.read(file);
  }

  /**
   * Looks at the headers and sizes of a folder's weights, before memory is taken for what its
   * configuration says.
   *
   * @throws SafetensorsException if a file is none of weights, or they are too small for such a
   *     model
   */
  public static void requireWeights(Path folder, ModelConfiguration configuration)
      throws IOException {
    long bytes = 0;
    for (Path file : files(folder)) {
      SafetensorsReader.open(file).close();
      bytes += Files.size(file);
    }
    double width = configuration.width();
    // 12 C² + 13 C a block; no integer, for what a broken file claims overflows any.
    double tokens = (double) configuration.vocabularySize() + configuration.context();
    double parameters = width * (configuration.layers() * 12.0 * width + tokens);
    if (parameters * LEAST_BYTES > bytes) {
      throw new SafetensorsException(
          folder.resolve(CONFIGURATION).toString(),
          null,
          "describes a model of %.3g parameters, for which the weights beside it, %,d bytes, are too few"
              .formatted(parameters, bytes));
    }
  }

  /** The text of a model's {@code config.json}. */
  public static byte[] configurationFile(ModelConfiguration configuration, SpecialTokens tokens)
      throws IOException {
    return configuration instanceof BertConfiguration bert
        ? HuggingFaceBert.write(bert, tokens)
        : HuggingFaceGpt2.write((GptConfiguration) configuration, tokens);
  }

  /**
   * Reads a model's weights.
   *
   * @param location a folder, or one safetensors file
   * @param parameters receives them; of the size of the configuration's layout
   */
  public static void load(
      Path location, Backend backend, ModelConfiguration configuration, Tensor parameters)
      throws IOException {
    List<SafetensorsReader> files = new ArrayList<>();
    try {
      for (Path file : Files.isDirectory(location) ? files(location) : List.of(location)) {
        files.add(SafetensorsReader.open(file));
      }
      WeightFiles.read(backend, configuration.layout(), parameters, files);
    } finally {
      for (SafetensorsReader file : files) {
        file.close();
      }
    }
  }

  private static List<Path> files(Path folder) throws IOException {
    if (Files.exists(folder.resolve(WEIGHTS))) {
      return List.of(folder.resolve(WEIGHTS));
    }
    if (!Files.exists(folder.resolve(INDEX))) {
      throw new NoSuchFileException(
          folder.toString(), null, "holds neither " + WEIGHTS + " nor " + INDEX);
    }
    return indexed(folder.resolve(INDEX)).stream().map(folder::resolve).toList();
  }

  private static Set<String> indexed(Path index) throws IOException {
    Set<String> names = new TreeSet<>();
    for (JsonNode name : ConfigurationFile.tree(index).path("weight_map")) {
      names.add(name.asText());
    }
    for (String name : names) {
      if (!PLAIN_NAME.matcher(name).matches()) {
        throw new SafetensorsException(
            index.toString(), "weight_map", "'" + name + "' is no plain file name");
      }
    }
    return names;
  }

  /**
   * Writes a folder that transformers loads.
   *
   * @param folder made where it does not exist
   */
  public static void export(
      Path folder,
      Backend backend,
      ModelConfiguration configuration,
      Tensor parameters,
      SpecialTokens tokens)
      throws IOException {
    Files.createDirectories(folder);
    Path weights = folder.resolve(WEIGHTS);
    WeightFiles.write(
        backend,
        configuration.layout(),
        parameters,
        weights.toString(),
        Files.newOutputStream(weights));
    Files.write(folder.resolve(CONFIGURATION), configurationFile(configuration, tokens));
  }
}
