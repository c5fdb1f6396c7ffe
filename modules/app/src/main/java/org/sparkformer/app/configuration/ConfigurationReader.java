package org.sparkformer.app.configuration;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.sparkformer.app.InputException;
import org.sparkformer.training.configuration.DataConfiguration;

/** Reads a run's YAML file, lays {@code --set} overrides over it and fills in the defaults. */
public final class ConfigurationReader {
  /** The one key that takes a list as well as a text. */
  private static final String INPUT = "data.input";

  private final YAMLMapper mapper = Yaml.mapper();
  private final KnownKeys known = new KnownKeys(mapper);

  /**
   * @param file its path, or the name of a preset that the jar carries
   * @param overrides each {@code path.to.key=value}
   * @throws InputException when the file is missing or no YAML, a key is unknown or a value of the
   *     wrong kind
   */
  public ConfigurationDraft read(String file, List<String> overrides) throws InputException {
    ConfigurationSource source = ConfigurationSource.find(file);
    LocatedTree located = LocatedTree.read(source, mapper);
    ObjectNode given = located.tree();
    Map<String, String> origins = new HashMap<>(located.origins());
    checkKeys(given, "", origins);
    for (String override : overrides) {
      apply(override, given, origins);
    }
    joinInputs(given, origins);
    ObjectNode tree = known.defaults();
    tree.put("name", source.name());
    merge(given, tree, "");
    return new ConfigurationDraft(source.label(), tree, Map.copyOf(origins), mapper).checked();
  }

  private void checkKeys(JsonNode node, String prefix, Map<String, String> origins)
      throws InputException {
    for (Map.Entry<String, JsonNode> field : node.properties()) {
      String path = prefix + field.getKey();
      String origin = origins.get(path);
      JsonNode exemplar =
          known
              .find(path)
              .orElseThrow(() -> new InputException(origin + ": " + known.complaint(path)));
      boolean section = exemplar.isObject();
      if (section != field.getValue().isObject()) {
        String expected = section ? " is a section and needs keys of its own" : " takes one value";
        throw new InputException(origin + ": " + path + expected);
      }
      checkKeys(field.getValue(), path + ".", origins);
    }
  }

  private void apply(String override, ObjectNode tree, Map<String, String> origins)
      throws InputException {
    int equals = override.indexOf('=');
    if (equals < 1) {
      throw new InputException("--set " + override + ": expected path.to.key=value");
    }
    String path = override.substring(0, equals).strip();
    String origin = "--set " + override;
    JsonNode exemplar =
        known
            .find(path)
            .orElseThrow(() -> new InputException(origin + ": " + known.complaint(path)));
    if (exemplar.isObject()) {
      throw new InputException(origin + ": " + path + " is a section; set one of its keys");
    }
    ObjectNode section = tree;
    int dot = path.lastIndexOf('.');
    if (dot > 0) {
      section = tree.withObject("/" + path.substring(0, dot));
    }
    section.set(path.substring(dot + 1), value(path, override.substring(equals + 1), origin));
    origins.put(path, origin);
  }

  /** A list stays one where the key takes lists and nothing follows it, as in {@code [ab]*.txt}. */
  private JsonNode value(String path, String text, String origin) throws InputException {
    if (text.isBlank()) {
      return JsonNodeFactory.instance.textNode(text);
    }
    try (JsonParser parser = mapper.getFactory().createParser(text)) {
      JsonNode value = mapper.readTree(parser);
      boolean list = path.equals(INPUT) && value.isArray() && parser.nextToken() == null;
      return value.isValueNode() || list ? value : JsonNodeFactory.instance.textNode(text);
    } catch (JsonProcessingException notYaml) {
      return JsonNodeFactory.instance.textNode(text);
    } catch (java.io.IOException impossible) {
      throw new InputException(origin + ": " + impossible.getMessage(), impossible);
    }
  }

  /** Writes a list of paths as the text that names them all. */
  private static void joinInputs(ObjectNode given, Map<String, String> origins)
      throws InputException {
    if (!(given.at("/data/input") instanceof ArrayNode list)) {
      return;
    }
    List<String> paths = new ArrayList<>();
    for (JsonNode path : list) {
      if (!path.isValueNode() || path.asText().isBlank()) {
        throw new InputException(
            origins.get(INPUT)
                + ": "
                + INPUT
                + " takes a path or a list of paths, but holds "
                + path);
      }
      paths.add(path.asText());
    }
    if (paths.isEmpty()) {
      throw new InputException(origins.get(INPUT) + ": " + INPUT + " is an empty list");
    }
    given.withObject("/data").put("input", DataConfiguration.join(paths));
  }

  private void merge(ObjectNode from, ObjectNode into, String prefix) {
    for (Map.Entry<String, JsonNode> field : from.properties()) {
      String path = prefix + field.getKey();
      if (field.getValue() instanceof ObjectNode section) {
        merge(section, into.withObject("/" + field.getKey()), path + ".");
      } else {
        into.set(field.getKey(), asKindOf(known.find(path).orElseThrow(), field.getValue()));
      }
    }
  }

  private static JsonNode asKindOf(JsonNode exemplar, JsonNode value) {
    boolean text = exemplar.isTextual() || exemplar.isNull();
    return text && value.isNumber() ? JsonNodeFactory.instance.textNode(value.asText()) : value;
  }
}
