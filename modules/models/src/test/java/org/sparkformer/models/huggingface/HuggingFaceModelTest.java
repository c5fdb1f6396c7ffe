package org.sparkformer.models.huggingface;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.models.Golden;
import org.sparkformer.models.Gpt;
import org.sparkformer.models.GptConfiguration;
import org.sparkformer.models.TestBackend;
import org.sparkformer.models.safetensors.ElementType;
import org.sparkformer.models.safetensors.SafetensorsException;
import org.sparkformer.models.safetensors.SafetensorsHeader;
import org.sparkformer.models.safetensors.SafetensorsReader;
import org.sparkformer.models.safetensors.SafetensorsWriter;
import org.sparkformer.models.safetensors.TensorEntry;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Shape;
import org.sparkformer.tensor.Tensor;

class HuggingFaceModelTest {
  private static final String EMBEDDING = "transformer.wte.weight";
  private static final UnaryOperator<String> BARE = name -> name.replace("transformer.", "");

  @TempDir Path folder;

  private final Backend backend = TestBackend.JAVA.open();
  private Tensor weights;
  private float[] expected;

  /** Tensors as (name, shape and values), to be bent before they are written. */
  private final Map<String, float[]> tensors = new LinkedHashMap<>();

  private final Map<String, Shape> shapes = new LinkedHashMap<>();

  @BeforeEach
  void load() throws IOException {
    weights = Golden.weights(backend);
    expected = backend.readFloats(weights);
    try (SafetensorsReader reader = Golden.open("model.safetensors")) {
      for (TensorEntry entry : reader.header().entries()) {
        tensors.put(entry.name(), Golden.floats(reader, entry.name()));
        shapes.put(entry.name(), entry.shape());
      }
    }
  }

  @AfterEach
  void giveBack() {
    weights.close();
  }

  @Test
  void exportsWhatItLoads() throws IOException {
    GptConfiguration configuration = new GptConfiguration(2, 3, 24, 16, 61, 0.25, false);
    HuggingFaceModel.export(folder, backend, configuration, weights, text -> OptionalInt.of(60));
    assertEquals(configuration, HuggingFaceModel.configuration(folder));
    assertArrayEquals(expected, load(folder));
    try (SafetensorsReader theirs = Golden.open("model.safetensors");
        SafetensorsReader ours = SafetensorsReader.open(folder.resolve("model.safetensors"))) {
      assertEquals(shapes(theirs), shapes(ours));
    }
  }

  private static Map<String, Shape> shapes(SafetensorsReader reader) {
    return reader.header().entries().stream()
        .collect(Collectors.toMap(TensorEntry::name, TensorEntry::shape));
  }

  @Test
  void loadsNamesWithoutPrefixMasksAndATiedOutputMatrix() throws IOException {
    put("h.0.attn.bias", Shape.of(1, 1, 2, 2), new float[4]);
    put("h.1.attn.masked_bias", Shape.of(), new float[1]);
    put("lm_head.weight", shapes.get(EMBEDDING), tensors.get(EMBEDDING));
    assertArrayEquals(expected, load(write("model.safetensors", BARE)));
  }

  @Test
  void takesTheEmbeddingFromATiedOutputMatrix() throws IOException {
    put("lm_head.weight", shapes.get(EMBEDDING), tensors.get(EMBEDDING));
    remove(EMBEDDING);
    assertArrayEquals(expected, load(write("model.safetensors", BARE)));
  }

  @Test
  void refusesAnOutputMatrixOfItsOwn() throws IOException {
    float[] other = tensors.get(EMBEDDING).clone();
    other[other.length - 1] += 1;
    put("lm_head.weight", shapes.get(EMBEDDING), other);
    refuse("lm_head.weight", "only tied models");
  }

  @Test
  void refusesAMissingParameter() throws IOException {
    remove("transformer.h.1.ln_2.bias");
    refuse("transformer.h.1.ln_2.bias", "missing");
  }

  @Test
  void refusesAnotherShape() throws IOException {
    put("transformer.wpe.weight", Shape.of(12, 32), tensors.get("transformer.wpe.weight"));
    refuse("transformer.wpe.weight", "has shape [12, 32], the model's is [16, 24]");
  }

  @Test
  void refusesAnUnknownParameter() throws IOException {
    put("transformer.h.2.ln_2.bias", Shape.of(24), new float[24]);
    refuse("transformer.h.2.ln_2.bias", "no such parameter");
  }

  @Test
  void refusesAParameterUnderTwoNames() throws IOException {
    put("wte.weight", shapes.get(EMBEDDING), tensors.get(EMBEDDING));
    refuse("wte.weight", "the same parameter is " + EMBEDDING);
  }

  private void refuse(String key, String complaint) throws IOException {
    Path file = write("model.safetensors", name -> name);
    SafetensorsException error = assertThrows(SafetensorsException.class, () -> load(file));
    assertEquals(key, error.key());
    assertEquals(file.toString(), error.file());
    assertTrue(error.getMessage().contains(complaint), error.getMessage());
    assertArrayEquals(expected, backend.readFloats(weights));
  }

  @Test
  void loadsWeightsInSeveralFilesByTheirIndex() throws IOException {
    float[] embedding = tensors.get(EMBEDDING);
    remove(EMBEDDING);
    write("model-00001-of-00002.safetensors", name -> name);
    tensors.clear();
    shapes.clear();
    put(EMBEDDING, Shape.of(61, 24), embedding);
    write("model-00002-of-00002.safetensors", name -> name);
    Files.writeString(
        folder.resolve("model.safetensors.index.json"),
        "{\"weight_map\":{\"transformer.wte.weight\":\"model-00002-of-00002.safetensors\","
            + "\"transformer.wpe.weight\":\"model-00001-of-00002.safetensors\"}}");
    assertArrayEquals(expected, load(folder));
  }

  @Test
  void refusesAnIndexThatLeavesItsFolder() throws IOException {
    Files.writeString(
        folder.resolve("model.safetensors.index.json"), "{\"weight_map\":{\"a\":\"../b\"}}");
    assertThrows(SafetensorsException.class, () -> load(folder));
  }

  @Test
  void refusesAFolderWithoutWeights() {
    assertThrows(NoSuchFileException.class, () -> load(folder));
  }

  /** For golden/check_export.py, which loads this folder into transformers. */
  @Test
  void leavesAnExportForTransformersToLoad() throws IOException {
    Path export = Path.of("target", "exported-gpt2");
    HuggingFaceModel.export(export, backend, Golden.CONFIGURATION, weights, SpecialTokens.NONE);
    assertArrayEquals(expected, load(export));
  }

  private void put(String name, Shape shape, float[] values) {
    tensors.put(name, values);
    shapes.put(name, shape);
  }

  private void remove(String name) {
    tensors.remove(name);
    shapes.remove(name);
  }

  private Path write(String name, UnaryOperator<String> rename) throws IOException {
    Path file = folder.resolve(name);
    SafetensorsHeader.Builder header = new SafetensorsHeader.Builder();
    shapes.forEach((key, shape) -> header.tensor(rename.apply(key), ElementType.F32, shape));
    try (SafetensorsWriter writer =
        new SafetensorsWriter(name, Files.newOutputStream(file), header.build())) {
      for (Map.Entry<String, float[]> tensor : tensors.entrySet()) {
        writer.writeFloats(rename.apply(tensor.getKey()), FloatBuffer.wrap(tensor.getValue()));
      }
      writer.finish();
    }
    return file;
  }

  private float[] load(Path location) throws IOException {
    try (Tensor flat = backend.floats(Gpt.layout(Golden.CONFIGURATION).size())) {
      HuggingFaceModel.load(location, backend, Golden.CONFIGURATION, flat);
      return backend.readFloats(flat);
    }
  }
}
