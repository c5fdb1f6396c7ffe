package org.sparkformer.models.huggingface;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Set;
import org.sparkformer.models.GptConfiguration;

/** A {@code config.json} under the keys of transformers' GPT2Config. */
final class HuggingFaceGpt2 {
  static final String MODEL_TYPE = "gpt2";

  private static final double EPSILON = 1e-5;

  /** Begins and ends documents. */
  private static final String END_OF_TEXT = "<|endoftext|>";

  /** Two names of transformers for GELU in its tanh form. */
  private static final Set<String> TANH_GELU = Set.of("gelu_new", "gelu_pytorch_tanh");

  private HuggingFaceGpt2() {}

  static byte[] write(GptConfiguration configuration, SpecialTokens tokens)
      throws JsonProcessingException {
    ObjectNode json = ConfigurationFile.object();
    json.putArray("architectures").add("GPT2LMHeadModel");
    json.put("model_type", MODEL_TYPE);
    json.put("n_layer", configuration.layers());
    json.put("n_head", configuration.heads());
    json.put("n_embd", configuration.width());
    json.put("n_positions", configuration.context());
    json.put("n_ctx", configuration.context());
    json.put("vocab_size", configuration.vocabularySize());
    json.put("activation_function", "gelu_new");
    json.put("layer_norm_epsilon", EPSILON);
    for (String site : new String[] {"resid_pdrop", "embd_pdrop", "attn_pdrop"}) {
      json.put(site, configuration.dropout());
    }
    json.put("tie_word_embeddings", true);
    json.put("bos_token_id", tokens.idOrNull(END_OF_TEXT));
    json.put("eos_token_id", tokens.idOrNull(END_OF_TEXT));
    json.put("torch_dtype", "float32");
    return ConfigurationFile.write(json);
  }

  /**
   * Its residual dropout serves for all three sites, and activations are not recomputed.
   *
   * @throws IllegalArgumentException if the file describes a model that {@link
   *     org.sparkformer.models.Gpt} does not compute
   */
  static GptConfiguration read(ConfigurationFile file) {
    String activation = file.text("activation_function", "gelu_new");
    file.require("activation_function", activation, TANH_GELU);
    int width = file.integer("n_embd", 768);
    file.require("n_inner", file.integer("n_inner", 4 * width), Set.of(4 * width));
    double epsilon = file.number("layer_norm_epsilon", EPSILON);
    file.require("layer_norm_epsilon", epsilon, Set.of(EPSILON));
    file.require("tie_word_embeddings", file.flag("tie_word_embeddings", true), Set.of(true));
    file.require("scale_attn_weights", file.flag("scale_attn_weights", true), Set.of(true));
    String inverse = "scale_attn_by_inverse_layer_idx";
    file.require(inverse, file.flag(inverse, false), Set.of(false));
    file.require("add_cross_attention", file.flag("add_cross_attention", false), Set.of(false));
    return new GptConfiguration(
        file.integer("n_layer", 12),
        file.integer("n_head", 12),
        width,
        file.integer("n_positions", 1024),
        file.integer("vocab_size", 50257),
        file.number("resid_pdrop", 0.1),
        false);
  }
}
