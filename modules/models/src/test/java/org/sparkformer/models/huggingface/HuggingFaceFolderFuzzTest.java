package org.sparkformer.models.huggingface;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkformer.models.GptConfiguration;
import org.sparkformer.models.ModelConfiguration;
import org.sparkformer.models.safetensors.SafetensorsException;
import org.sparkformer.testkit.AllocationLimit;

/**
 * Any {@code config.json} and any {@code model.safetensors.index.json}, of which the first byte
 * says which it is, describe a model that the weights beside them are enough for, or are refused by
 * the name of a file.
 */
class HuggingFaceFolderFuzzTest {
  /** Bytes of the file of weights, without its header. */
  private static final int WEIGHTS = 1 << 12;

  private static final GptConfiguration SMALL = GptConfiguration.of(1, 1, 4, 4, 4);

  @TempDir static Path whole;
  @TempDir static Path indexed;

  @BeforeAll
  static void writeWeights() throws IOException {
    byte[] header =
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[%d],\"data_offsets\":[0,%d]}}"
            .formatted(WEIGHTS, WEIGHTS)
            .getBytes(StandardCharsets.UTF_8);
    byte[] file =
        ByteBuffer.allocate(8 + header.length + WEIGHTS)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(header.length)
            .put(header)
            .array();
    Files.write(whole.resolve(HuggingFaceModel.WEIGHTS), file);
    Files.write(indexed.resolve("part"), file);
  }

  static Stream<byte[]> files() {
    return Stream.of(
            "c{\"model_type\":\"gpt2\",\"n_layer\":1,\"n_head\":1,\"n_embd\":4,\"n_positions\":4,"
                + "\"vocab_size\":4,\"resid_pdrop\":0,\"layer_norm_epsilon\":1e-5}",
            "c{\"model_type\":\"bert\",\"hidden_size\":4,\"intermediate_size\":16,"
                + "\"num_hidden_layers\":1,\"num_attention_heads\":1,\"vocab_size\":4,"
                + "\"hidden_dropout_prob\":1e999999999}",
            "c{\"model_type\":\"gpt2\",\"n_layer\":2147483647,\"n_embd\":1073741824}",
            "c{\"model_type\":\"gpt2\",\"n_layer\":12345678901234567890}",
            "c[[[[",
            "cnull",
            "c\0\0\0{\\\0\0\0",
            "d{\"weight_map\":{\"a\":\"part\",\"b\":\"part\"}}",
            "d{\"weight_map\":{\"a\":\"../part\"}}",
            "d{\"weight_map\":{\"a\":\"\",\"b\":null}}",
            "d{\"weight_map\":[\"\\u0000\"]}",
            "d{\"weight_map\":7}",
            "d\0\0\0{\\\0\0\0",
            "d")
        .map(json -> json.getBytes(StandardCharsets.UTF_8));
  }

  @MethodSource("files")
  @FuzzTest
  void isReadOrRefused(byte[] input) throws Exception {
    if (input.length == 0) {
      return;
    }
    byte[] json = Arrays.copyOfRange(input, 1, input.length);
    boolean isConfiguration = input[0] % 2 != 0;
    Path folder = isConfiguration ? whole : indexed;
    String name = isConfiguration ? HuggingFaceModel.CONFIGURATION : HuggingFaceModel.INDEX;
    Files.write(folder.resolve(name), json);
    AllocationLimit.within(json.length, () -> read(folder, isConfiguration));
  }

  private static ModelConfiguration read(Path folder, boolean isConfiguration) throws IOException {
    try {
      ModelConfiguration model = isConfiguration ? HuggingFaceModel.configuration(folder) : SMALL;
      HuggingFaceModel.requireWeights(folder, model);
      return model;
    } catch (IllegalArgumentException | SafetensorsException | FileSystemException declared) {
      if (!declared.getMessage().contains(folder.toString())) {
        throw new AssertionError("names no file: " + declared, declared);
      }
      return null;
    }
  }
}
