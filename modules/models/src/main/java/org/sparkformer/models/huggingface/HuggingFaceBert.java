package org.sparkformer.models.huggingface;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Set;
import org.sparkformer.models.BertConfiguration;

/** A {@code config.json} under the keys of transformers' BertConfig. */
final class HuggingFaceBert {
  static final String MODEL_TYPE = "bert";

  private static final double EPSILON = 1e-12;
  private static final String PADDING = "[PAD]";

  private HuggingFaceBert() {}

  static byte[] write(BertConfiguration configuration, SpecialTokens tokens)
      throws JsonProcessingException {
    ObjectNode json = ConfigurationFile.object();
    json.putArray("architectures").add("BertForMaskedLM");
    json.put("model_type", MODEL_TYPE);
    json.put("num_hidden_layers", configuration.layers());
    json.put("num_attention_heads", configuration.heads());
    json.put("hidden_size", configuration.width());
    json.put("intermediate_size", 4 * configuration.width());
    json.put("max_position_embeddings", configuration.context());
    json.put("vocab_size", configuration.vocabularySize());
    json.put("type_vocab_size", 2);
    json.put("hidden_act", "gelu");
    json.put("layer_norm_eps", EPSILON);
    json.put("hidden_dropout_prob", configuration.dropout());
    json.put("attention_probs_dropout_prob", configuration.dropout());
    json.put("position_embedding_type", "absolute");
    json.put("tie_word_embeddings", true);
    json.put("pad_token_id", tokens.idOrNull(PADDING));
    json.put("torch_dtype", "float32");
    return ConfigurationFile.write(json);
  }

  /**
   * Its hidden dropout serves for all sites, and activations are not recomputed.
   *
   * @throws IllegalArgumentException if the file describes a model that {@link
   *     org.sparkformer.models.Bert} does not compute
   */
  static BertConfiguration read(ConfigurationFile file) {
    int width = file.integer("hidden_size", 768);
    file.require("intermediate_size", file.integer("intermediate_size", 3072), Set.of(4 * width));
    file.require("hidden_act", file.text("hidden_act", "gelu"), Set.of("gelu"));
    file.require("layer_norm_eps", file.number("layer_norm_eps", EPSILON), Set.of(EPSILON));
    file.require("type_vocab_size", file.integer("type_vocab_size", 2), Set.of(2));
    String positions = "position_embedding_type";
    file.require(positions, file.text(positions, "absolute"), Set.of("absolute"));
    file.require("tie_word_embeddings", file.flag("tie_word_embeddings", true), Set.of(true));
    file.require("is_decoder", file.flag("is_decoder", false), Set.of(false));
    return new BertConfiguration(
        file.integer("num_hidden_layers", 12),
        file.integer("num_attention_heads", 12),
        width,
        file.integer("max_position_embeddings", 512),
        file.integer("vocab_size", 30522),
        file.number("hidden_dropout_prob", 0.1),
        false);
  }
}
