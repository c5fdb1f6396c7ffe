package org.sparkformer.app.deploy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What the Spark operator's published API allows of a kind, by path: {@code operator-fields.txt}
 * says from which version it was taken and how.
 */
final class OperatorFields {
  private static final Set<String> TOP = Set.of("apiVersion", "kind", "metadata", "spec");

  /** Of Kubernetes' ObjectMeta, what a user may set. */
  private static final Set<String> METADATA =
      Set.of(
          "name",
          "generateName",
          "namespace",
          "labels",
          "annotations",
          "finalizers",
          "ownerReferences");

  private record Field(String type, Set<String> values, boolean required) {}

  private final Map<String, Field> fields = new LinkedHashMap<>();
  private final List<String> errors = new ArrayList<>();

  private OperatorFields(String kind) {
    String current = "";
    for (String line : lines()) {
      String[] words = line.split(" ");
      if (words[0].equals("kind")) {
        current = words[1];
      } else if (current.equals(kind)) {
        boolean required = words[words.length - 1].equals("required");
        boolean enumerated = words.length > (required ? 3 : 2);
        Set<String> values = enumerated ? Set.of(words[2].split("\\|")) : Set.of();
        fields.put(words[0], new Field(words[1], values, required));
      }
    }
  }

  /** What is wrong with a manifest; nothing where the operator would take it. */
  static List<String> errors(JsonNode manifest) {
    String kind = manifest.path("kind").asText();
    OperatorFields allowed = new OperatorFields(kind);
    allowed.requireKnown("", manifest, TOP);
    allowed.requireKnown("metadata.", manifest.path("metadata"), METADATA);
    allowed.check("spec", manifest.path("spec"));
    if (kind.equals("ScheduledSparkApplication")) {
      OperatorFields template = new OperatorFields("SparkApplication");
      template.check("spec", manifest.path("spec").path("template"));
      allowed.errors.addAll(template.errors);
    }
    return allowed.errors;
  }

  private static List<String> lines() {
    try (InputStream stream = OperatorFields.class.getResourceAsStream("operator-fields.txt")) {
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .filter(line -> !line.startsWith("#"))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void requireKnown(String prefix, JsonNode node, Set<String> known) {
    for (Iterator<String> names = node.fieldNames(); names.hasNext(); ) {
      String name = names.next();
      if (!known.contains(name)) {
        errors.add(prefix + name + " is not known");
      }
    }
  }

  private void check(String path, JsonNode value) {
    Field field = fields.get(path);
    if (field == null) {
      errors.add(path + " is not known");
    } else if (!isOfType(field.type(), value)) {
      errors.add(path + " must be of type " + field.type() + ", but is " + value);
    } else if (!field.values().isEmpty() && !field.values().contains(value.asText())) {
      errors.add(path + " must be one of " + field.values() + ", but is " + value.asText());
    } else if (!path.equals("spec.template")) {
      checkBelow(path, field, value);
    }
  }

  private void checkBelow(String path, Field field, JsonNode value) {
    if (field.type().equals("array")) {
      value.forEach(element -> check(path + "[]", element));
    } else if (field.type().equals("object")) {
      for (Iterator<String> names = value.fieldNames(); names.hasNext(); ) {
        String name = names.next();
        check(path + "." + name, value.get(name));
      }
      requireAll(path, value);
    }
  }

  private void requireAll(String path, JsonNode value) {
    fields.forEach(
        (name, field) -> {
          boolean isChild = name.matches("\\Q" + path + "\\E\\.[^.\\[]+");
          if (isChild && field.required() && !value.has(name.substring(path.length() + 1))) {
            errors.add(name + " is missing");
          }
        });
  }

  private static boolean isOfType(String type, JsonNode value) {
    return switch (type) {
      case "object" -> value.isObject();
      case "array" -> value.isArray();
      case "string" -> value.isTextual();
      case "integer" -> value.isIntegralNumber();
      case "boolean" -> value.isBoolean();
      case "map" -> isMapOfText(value);
      case "any" -> value.isValueNode();
      default -> throw new IllegalArgumentException("operator-fields.txt: what is " + type + "?");
    };
  }

  private static boolean isMapOfText(JsonNode value) {
    boolean text = value.isObject();
    for (JsonNode element : value) {
      text &= element.isTextual();
    }
    return text;
  }
}
