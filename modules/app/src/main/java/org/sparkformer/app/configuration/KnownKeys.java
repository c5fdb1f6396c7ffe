package org.sparkformer.app.configuration;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;
import java.util.TreeSet;
import org.sparkformer.training.configuration.Defaults;

/**
 * The keys a configuration may have, and the defaults of those that have one, both read off the
 * records.
 */
final class KnownKeys {
  private final ObjectNode exemplar;

  KnownKeys(ObjectMapper mapper) {
    exemplar = mapper.valueToTree(Defaults.EXEMPLAR);
  }

  /** The defaults, without the keys that every file must set itself. */
  ObjectNode defaults() {
    return Defaults.retain(exemplar.deepCopy());
  }

  /**
   * The node of the exemplar at a path such as {@code training.steps}: shows the kind of its value.
   */
  Optional<JsonNode> find(String path) {
    JsonNode node = exemplar;
    for (String key : path.split("\\.", -1)) {
      node = node.get(key);
      if (node == null) {
        return Optional.empty();
      }
    }
    return Optional.of(node);
  }

  /**
   * Keys of the section that {@code path} lies in, sorted; the top level's where that section is
   * unknown.
   */
  Collection<String> siblings(String path) {
    int dot = path.lastIndexOf('.');
    JsonNode section = dot < 0 ? exemplar : find(path.substring(0, dot)).orElse(exemplar);
    TreeSet<String> keys = new TreeSet<>();
    section.fieldNames().forEachRemaining(keys::add);
    return keys;
  }

  /** What to say of a key that does not exist. */
  String complaint(String path) {
    int dot = path.lastIndexOf('.');
    String section = dot < 0 ? "" : path.substring(0, dot);
    if (find(section).filter(JsonNode::isValueNode).isPresent()) {
      return "unknown key " + path + " (" + section + " takes one value)";
    }
    String key = path.substring(dot + 1);
    Collection<String> candidates = siblings(path);
    String hint =
        candidates.stream()
            .min(Comparator.comparingInt(candidate -> EditDistance.between(key, candidate)))
            .filter(nearest -> EditDistance.between(key, nearest) <= Math.max(2, key.length() / 3))
            .map(nearest -> "did you mean " + nearest + "?")
            .orElse("known here: " + String.join(", ", candidates));
    return "unknown key " + path + " (" + hint + ")";
  }
}
