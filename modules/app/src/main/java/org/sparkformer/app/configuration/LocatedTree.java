package org.sparkformer.app.configuration;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.sparkformer.app.InputException;

/**
 * A YAML mapping that remembers where each key stands.
 *
 * @param tree the values
 * @param origins {@code file:line} by path such as {@code training.steps}
 */
record LocatedTree(ObjectNode tree, Map<String, String> origins) {

  static LocatedTree read(ConfigurationSource source, YAMLMapper mapper) throws InputException {
    String label = source.label();
    try {
      JsonNode tree = mapper.readTree(source.text());
      if (tree.isMissingNode() || tree.isNull()) {
        throw new InputException(label + " is empty: it needs at least the section model");
      }
      if (!(tree instanceof ObjectNode mapping)) {
        throw new InputException(label + ": a configuration is a mapping of keys to values");
      }
      return new LocatedTree(mapping, origins(source, mapper));
    } catch (JsonProcessingException broken) {
      int line = broken.getLocation() == null ? 1 : broken.getLocation().getLineNr();
      throw new InputException(label + ":" + line + ": " + problem(broken), broken);
    } catch (IOException unreadable) {
      throw new InputException("cannot read " + label + ": " + unreadable, unreadable);
    }
  }

  /** What was being read and what is wrong with it, without the quotations in between. */
  private static String problem(JsonProcessingException broken) {
    return broken
        .getOriginalMessage()
        .lines()
        .filter(line -> !line.startsWith(" "))
        .collect(Collectors.joining(": "));
  }

  private static Map<String, String> origins(ConfigurationSource source, YAMLMapper mapper)
      throws IOException {
    Map<String, String> origins = new HashMap<>();
    try (JsonParser parser = mapper.getFactory().createParser(source.text())) {
      for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
        if (token == JsonToken.FIELD_NAME) {
          String path = parser.getParsingContext().pathAsPointer().toString();
          int line = parser.currentTokenLocation().getLineNr();
          origins.put(path.substring(1).replace('/', '.'), source.label() + ":" + line);
        }
      }
    }
    return origins;
  }
}
