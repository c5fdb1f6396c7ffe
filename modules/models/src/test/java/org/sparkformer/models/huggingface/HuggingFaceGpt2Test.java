package org.sparkformer.models.huggingface;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkformer.models.Golden;
import org.sparkformer.models.GptConfiguration;

/** GPT-2's config.json. */
class HuggingFaceGpt2Test {
  @TempDir Path folder;

  @Test
  void readsTheConfigurationThatTransformersWrote() throws IOException {
    assertEquals(Golden.CONFIGURATION, HuggingFaceModel.configuration(Golden.folder()));
  }

  @Test
  void exportsTheKeysOfGpt2Configurations() throws IOException {
    String text =
        new String(
            HuggingFaceModel.configurationFile(Golden.CONFIGURATION, SpecialTokens.NONE),
            StandardCharsets.UTF_8);
    assertEquals(
        "{'architectures':['GPT2LMHeadModel'],'model_type':'gpt2','n_layer':2,'n_head':3,"
            + "'n_embd':24,'n_positions':16,'n_ctx':16,'vocab_size':61,"
            + "'activation_function':'gelu_new','layer_norm_epsilon':1.0E-5,"
            + "'resid_pdrop':0.0,'embd_pdrop':0.0,'attn_pdrop':0.0,'tie_word_embeddings':true,"
            + "'bos_token_id':null,'eos_token_id':null,'torch_dtype':'float32'}",
        text.replaceAll("\\s", "").replace('"', '\''));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{'model_type':'llama'} | model_type is llama, supported: [bert, gpt2]",
        "{} | model_type is",
        "{'model_type':'gpt2','activation_function':'relu'} | activation_function is relu",
        "{'model_type':'gpt2','n_inner':100} | n_inner is 100, supported: [3072]",
        "{'model_type':'gpt2','layer_norm_epsilon':1e-6} | layer_norm_epsilon is 1.0E-6",
        "{'model_type':'gpt2','tie_word_embeddings':false} | tie_word_embeddings is false",
        "{'model_type':'gpt2','scale_attn_weights':false} | scale_attn_weights is false",
        "{'model_type':'gpt2','n_layer':'12'} | n_layer is \"12\", supported: an integer",
        "{'model_type':'gpt2','n_head':7} | model.heads must divide",
        "{'model_type' | not valid JSON",
        " | model_type is",
      })
  void refusesConfigurationsItDoesNotCompute(String json, String complaint) throws IOException {
    configuration((json == null ? "" : json).replace('\'', '"'));
    IllegalArgumentException error =
        assertThrows(IllegalArgumentException.class, () -> HuggingFaceModel.configuration(folder));
    String file = folder.resolve("config.json").toString();
    assertTrue(error.getMessage().startsWith(file), error.getMessage());
    assertEquals(0, error.getMessage().lastIndexOf(file), error.getMessage());
    assertTrue(error.getMessage().contains(complaint), error.getMessage());
  }

  @Test
  void theDefaultsAreGpt2() throws IOException {
    configuration("{\"model_type\":\"gpt2\"}");
    assertEquals(
        new GptConfiguration(12, 12, 768, 1024, 50257, 0.1, false),
        HuggingFaceModel.configuration(folder));
  }

  private void configuration(String json) throws IOException {
    Files.writeString(folder.resolve("config.json"), json);
  }
}
