package org.sparkformer.app.configuration;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.sparkformer.app.InputException;

/**
 * A YAML mapping that remembers where each key stands.
 *
 * @param tree the values
 * @param origins {@code file:line} by path such as {@code training.steps}
 */
record LocatedTree(ObjectNode tree, Map<String, String> origins) {

  static LocatedTree read(Path file, YAMLMapper mapper) throws InputException {
    try {
      String text = Files.readString(file);
      JsonNode tree = mapper.readTree(text);
      if (tree.isMissingNode() || tree.isNull()) {
        throw new InputException(file + " is empty: it needs at least the section model");
      }
      if (!(tree instanceof ObjectNode mapping)) {
        throw new InputException(file + ": a configuration is a mapping of keys to values");
      }
      return new LocatedTree(mapping, origins(file, text, mapper));
    } catch (NoSuchFileException missing) {
      throw new InputException("no configuration file " + file, missing);
    } catch (JsonProcessingException broken) {
      int line = broken.getLocation() == null ? 1 : broken.getLocation().getLineNr();
      String problem = broken.getOriginalMessage().lines().findFirst().orElse("no YAML");
      throw new InputException(file + ":" + line + ": " + problem, broken);
    } catch (IOException unreadable) {
      throw new InputException("cannot read " + file + ": " + unreadable, unreadable);
    }
  }

  private static Map<String, String> origins(Path file, String text, YAMLMapper mapper)
      throws IOException {
    Map<String, String> origins = new HashMap<>();
    try (JsonParser parser = mapper.getFactory().createParser(text)) {
      for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
        if (token == JsonToken.FIELD_NAME) {
          String path = parser.getParsingContext().pathAsPointer().toString();
          int line = parser.currentTokenLocation().getLineNr();
          origins.put(path.substring(1).replace('/', '.'), file + ":" + line);
        }
      }
    }
    return origins;
  }
}
