package org.sparkformer.models.huggingface;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.sparkformer.models.GptConfiguration;

/** A {@code config.json} under the keys of transformers' GPT2Config. */
public final class Gpt2Configuration {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final double EPSILON = 1e-5;

  /** Begins and ends documents. */
  private static final String END_OF_TEXT = "<|endoftext|>";

  /** Two names of transformers for GELU in its tanh form. */
  private static final Set<String> TANH_GELU = Set.of("gelu_new", "gelu_pytorch_tanh");

  private final String file;
  private final JsonNode json;

  private Gpt2Configuration(String file, JsonNode json) {
    this.file = file;
    this.json = json;
  }

  /** The text of a configuration. */
  public static byte[] write(GptConfiguration configuration, SpecialTokens tokens)
      throws JsonProcessingException {
    ObjectNode json = JSON.createObjectNode();
    json.putArray("architectures").add("GPT2LMHeadModel");
    json.put("model_type", "gpt2");
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
    OptionalInt endOfText = tokens.id(END_OF_TEXT);
    Integer token = endOfText.isPresent() ? endOfText.getAsInt() : null;
    json.put("bos_token_id", token);
    json.put("eos_token_id", token);
    json.put("torch_dtype", "float32");
    return JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(json);
  }

  /**
   * Reads a configuration; its residual dropout serves for all three sites, and activations are not
   * recomputed.
   *
   * @param file name of the file, for messages
   * @throws IllegalArgumentException if it is not JSON, or describes a model that {@link
   *     org.sparkformer.models.Gpt} does not compute
   */
  public static GptConfiguration read(InputStream in, String file) throws IOException {
    JsonNode json;
    try {
      json = JSON.readTree(in);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(file + " is not valid JSON: " + e.getOriginalMessage(), e);
    }
    return new Gpt2Configuration(file, json).checked();
  }

  private GptConfiguration checked() {
    require("model_type", value("model_type").map(JsonNode::asText).orElse(""), Set.of("gpt2"));
    require(
        "activation_function",
        value("activation_function").map(JsonNode::asText).orElse("gelu_new"),
        TANH_GELU);
    int width = integer("n_embd", 768);
    require("n_inner", integer("n_inner", 4 * width), Set.of(4 * width));
    double epsilon = number("layer_norm_epsilon", EPSILON);
    require("layer_norm_epsilon", epsilon, Set.of(EPSILON));
    require("tie_word_embeddings", flag("tie_word_embeddings", true), Set.of(true));
    require("scale_attn_weights", flag("scale_attn_weights", true), Set.of(true));
    String inverse = "scale_attn_by_inverse_layer_idx";
    require(inverse, flag(inverse, false), Set.of(false));
    require("add_cross_attention", flag("add_cross_attention", false), Set.of(false));
    return configuration(width);
  }

  private GptConfiguration configuration(int width) {
    try {
      return new GptConfiguration(
          integer("n_layer", 12),
          integer("n_head", 12),
          width,
          integer("n_positions", 1024),
          integer("vocab_size", 50257),
          number("resid_pdrop", 0.1),
          false);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(file + ": " + e.getMessage(), e);
    }
  }

  private Optional<JsonNode> value(String key) {
    return Optional.ofNullable(json.get(key)).filter(node -> !node.isNull());
  }

  private int integer(String key, int otherwise) {
    JsonNode node = value(key).orElse(null);
    if (node != null && !node.canConvertToInt()) {
      throw unsupported(key, node, "an integer");
    }
    return node == null ? otherwise : node.intValue();
  }

  private double number(String key, double otherwise) {
    JsonNode node = value(key).orElse(null);
    if (node != null && !node.isNumber()) {
      throw unsupported(key, node, "a number");
    }
    return node == null ? otherwise : node.doubleValue();
  }

  private boolean flag(String key, boolean otherwise) {
    JsonNode node = value(key).orElse(null);
    if (node != null && !node.isBoolean()) {
      throw unsupported(key, node, "true or false");
    }
    return node == null ? otherwise : node.booleanValue();
  }

  private <T> void require(String key, T value, Set<T> supported) {
    if (!supported.contains(value)) {
      throw unsupported(key, value, supported.toString().toLowerCase(Locale.ROOT));
    }
  }

  private IllegalArgumentException unsupported(String key, Object value, String expected) {
    return new IllegalArgumentException(
        file + ": " + key + " is " + value + ", supported: " + expected);
  }
}
