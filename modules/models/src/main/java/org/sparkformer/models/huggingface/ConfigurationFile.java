package org.sparkformer.models.huggingface;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** A {@code config.json} of transformers: values with their defaults, complaints by key. */
final class ConfigurationFile {
  /** Of UTF-8 alone: bytes that look like UTF-32 make other exceptions. */
  private static final ObjectMapper JSON =
      new ObjectMapper(
          JsonFactory.builder().disable(JsonFactory.Feature.CHARSET_DETECTION).build());

  private final JsonNode json;

  private ConfigurationFile(JsonNode json) {
    this.json = json;
  }

  /**
   * @param reader makes the configuration; its complaints get the file's name
   * @throws IllegalArgumentException if the file is not JSON, or describes what is not supported
   */
  static <T> T read(Path file, Function<ConfigurationFile, T> reader) throws IOException {
    JsonNode json = tree(file);
    try {
      return reader.apply(new ConfigurationFile(json));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(file + ": " + e.getMessage(), e);
    }
  }

  /**
   * Any JSON beside a configuration.
   *
   * @throws IllegalArgumentException if it is not JSON
   */
  static JsonNode tree(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return JSON.readTree(in);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(file + " is not valid JSON: " + e.getOriginalMessage(), e);
    }
  }

  static ObjectNode object() {
    return JSON.createObjectNode();
  }

  static byte[] write(ObjectNode json) throws JsonProcessingException {
    return JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(json);
  }

  String text(String key, String otherwise) {
    return value(key).map(JsonNode::asText).orElse(otherwise);
  }

  int integer(String key, int otherwise) {
    JsonNode node = value(key).orElse(null);
    if (node != null && !(node.isIntegralNumber() && node.canConvertToInt())) {
      throw unsupported(key, node, "an integer");
    }
    return node == null ? otherwise : node.intValue();
  }

  double number(String key, double otherwise) {
    JsonNode node = value(key).orElse(null);
    if (node != null && !node.isNumber()) {
      throw unsupported(key, node, "a number");
    }
    return node == null ? otherwise : node.doubleValue();
  }

  boolean flag(String key, boolean otherwise) {
    JsonNode node = value(key).orElse(null);
    if (node != null && !node.isBoolean()) {
      throw unsupported(key, node, "true or false");
    }
    return node == null ? otherwise : node.booleanValue();
  }

  /**
   * @throws IllegalArgumentException unless the value is among those that are supported
   */
  <T> void require(String key, T value, Set<T> supported) {
    if (!supported.contains(value)) {
      throw unsupported(key, value, supported.toString().toLowerCase(Locale.ROOT));
    }
  }

  private Optional<JsonNode> value(String key) {
    return Optional.ofNullable(json.get(key)).filter(node -> !node.isNull());
  }

  private static IllegalArgumentException unsupported(String key, Object value, String expected) {
    return new IllegalArgumentException(key + " is " + value + ", supported: " + expected);
  }
}
