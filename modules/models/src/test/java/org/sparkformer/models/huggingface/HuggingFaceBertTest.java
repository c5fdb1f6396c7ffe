package org.sparkformer.models.huggingface;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkformer.models.BertConfiguration;
import org.sparkformer.models.BertGolden;
import org.sparkformer.models.Golden;
import org.sparkformer.models.safetensors.ElementType;
import org.sparkformer.models.safetensors.SafetensorsException;
import org.sparkformer.models.safetensors.SafetensorsHeader;
import org.sparkformer.models.safetensors.SafetensorsReader;
import org.sparkformer.models.safetensors.SafetensorsWriter;
import org.sparkformer.models.safetensors.TensorEntry;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.reference.JavaBackend;

/** BERT's files, as transformers' BertForMaskedLM writes and reads them. */
class HuggingFaceBertTest {
  private static final String DECODER = "cls.predictions.decoder.bias";

  @TempDir Path folder;

  private final Backend backend = new JavaBackend();

  @Test
  void readsTheConfigurationThatTransformersWrote() throws IOException {
    assertEquals(BertGolden.CONFIGURATION, HuggingFaceModel.configuration(BertGolden.folder()));
  }

  /** Into a folder that bert/check_export.py loads into transformers. */
  @Test
  void exportsTheTensorsThatTransformersWrote() throws IOException {
    BertConfiguration configuration = new BertConfiguration(2, 3, 24, 16, 61, 0.25, false);
    Path export = Path.of("target", "exported-bert");
    try (Tensor weights = BertGolden.weights(backend)) {
      HuggingFaceModel.export(export, backend, configuration, weights, name -> OptionalInt.of(5));
      assertArrayEquals(backend.readFloats(weights), load(export.resolve("model.safetensors")));
    }
    assertEquals(configuration, HuggingFaceModel.configuration(export));
    assertTrue(Files.readString(export.resolve("config.json")).contains("\"pad_token_id\" : 5"));
    try (SafetensorsReader theirs = open(BertGolden.folder());
        SafetensorsReader ours = open(export)) {
      assertEquals(
          theirs.header().entries().stream().map(TensorEntry::name).sorted().toList(),
          ours.header().entries().stream().map(TensorEntry::name).sorted().toList());
    }
  }

  @Test
  void takesACopyOfATiedParameterOnlyIfItIsTheSame() throws IOException {
    try (Tensor weights = BertGolden.weights(backend);
        SafetensorsReader golden = open(BertGolden.folder())) {
      float[] bias = Golden.floats(golden, "cls.predictions.bias");
      assertArrayEquals(backend.readFloats(weights), load(withDecoderBias(golden, bias)));
      bias[3] += 1;
      Path other = withDecoderBias(golden, bias);
      SafetensorsException refused = assertThrows(SafetensorsException.class, () -> load(other));
      assertTrue(refused.getMessage().contains(DECODER), refused.getMessage());
    }
  }

  private Path withDecoderBias(SafetensorsReader golden, float[] bias) throws IOException {
    SafetensorsHeader.Builder header = new SafetensorsHeader.Builder();
    for (TensorEntry entry : golden.header().entries()) {
      header.tensor(entry.name(), ElementType.F32, entry.shape());
    }
    header.tensor(DECODER, ElementType.F32, golden.entry("cls.predictions.bias").shape());
    Path file = folder.resolve("model.safetensors");
    try (SafetensorsWriter writer =
        new SafetensorsWriter("model", Files.newOutputStream(file), header.build())) {
      for (TensorEntry entry : golden.header().entries()) {
        float[] values = Golden.floats(golden, entry.name());
        writer.writeFloats(entry.name(), FloatBuffer.wrap(values));
      }
      writer.writeFloats(DECODER, FloatBuffer.wrap(bias));
      writer.finish();
    }
    return file;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{'model_type':'llama'} | model_type is llama, supported: [bert, gpt2]",
        "{'model_type':'bert','hidden_act':'relu'} | hidden_act is relu, supported: [gelu]",
        "{'model_type':'bert','intermediate_size':99} | intermediate_size is 99, supported: [3072]",
        "{'model_type':'bert','layer_norm_eps':1e-5} | layer_norm_eps is 1.0E-5",
        "{'model_type':'bert','type_vocab_size':1} | type_vocab_size is 1",
        "{'model_type':'bert','position_embedding_type':'relative_key'} | relative_key",
        "{'model_type':'bert','is_decoder':true} | is_decoder is true",
        "{'model_type':'bert','num_attention_heads':7} | model.heads must divide",
      })
  void refusesConfigurationsItDoesNotCompute(String json, String complaint) throws IOException {
    Files.writeString(folder.resolve("config.json"), json.replace('\'', '"'));
    IllegalArgumentException error =
        assertThrows(IllegalArgumentException.class, () -> HuggingFaceModel.configuration(folder));
    assertTrue(error.getMessage().contains("config.json"), error.getMessage());
    assertTrue(error.getMessage().contains(complaint), error.getMessage());
  }

  @Test
  void theDefaultsAreBertBase() throws IOException {
    Files.writeString(folder.resolve("config.json"), "{\"model_type\":\"bert\"}");
    assertEquals(
        new BertConfiguration(12, 12, 768, 512, 30522, 0.1, false),
        HuggingFaceModel.configuration(folder));
  }

  private static SafetensorsReader open(Path folder) throws IOException {
    return SafetensorsReader.open(folder.resolve("model.safetensors"));
  }

  private float[] load(Path location) throws IOException {
    try (Tensor flat = backend.floats(BertGolden.CONFIGURATION.layout().size())) {
      HuggingFaceModel.load(location, backend, BertGolden.CONFIGURATION, flat);
      return backend.readFloats(flat);
    }
  }
}
