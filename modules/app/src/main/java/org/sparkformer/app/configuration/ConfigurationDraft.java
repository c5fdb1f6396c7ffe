package org.sparkformer.app.configuration;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.exc.InvalidFormatException;
import com.fasterxml.jackson.databind.exc.InvalidTypeIdException;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.exc.ValueInstantiationException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import org.sparkformer.app.InputException;
import org.sparkformer.training.configuration.DataConfiguration;
import org.sparkformer.training.configuration.RunConfiguration;

/**
 * A configuration whose keys and values are checked, but whose vocabulary size may still have to
 * come from the tokenizer.
 */
public final class ConfigurationDraft {
  private final String file;
  private final ObjectNode tree;
  private final Map<String, String> origins;
  private final YAMLMapper mapper;

  ConfigurationDraft(String file, ObjectNode tree, Map<String, String> origins, YAMLMapper mapper) {
    this.file = file;
    this.tree = tree;
    this.origins = origins;
    this.mapper = mapper;
  }

  /** The vocabulary size the file asks for; empty when it is to be the tokenizer's own. */
  public OptionalInt vocabularySize() {
    JsonNode size = tree.path("model").path("vocab_size");
    return size.isInt() ? OptionalInt.of(size.asInt()) : OptionalInt.empty();
  }

  public DataConfiguration data() {
    return mapper.convertValue(tree.get("data"), DataConfiguration.class);
  }

  public String name() {
    return tree.get("name").asText();
  }

  /**
   * The finished configuration.
   *
   * @param tokenizerSize the tokenizer's vocabulary, used where the file gives no {@code
   *     vocab_size}
   * @throws InputException when the model's vocabulary is smaller than the tokenizer's
   */
  public RunConfiguration bind(int tokenizerSize) throws InputException {
    int size = vocabularySize().orElse(tokenizerSize);
    if (size < tokenizerSize) {
      throw new InputException(
          origin("model.vocab_size")
              + ("model.vocab_size is " + size + ", but the tokenizer has " + tokenizerSize)
              + " tokens: set model.vocab_size to at least that");
    }
    return bindTree(size);
  }

  /** This draft, once everything that does not hang on the tokenizer is known to be right. */
  ConfigurationDraft checked() throws InputException {
    ObjectNode training = (ObjectNode) tree.get("training");
    JsonNode rate = training.get("learning_rate");
    if (!training.has("min_learning_rate") && rate.isNumber()) {
      training.put("min_learning_rate", rate.asDouble() / 10);
    }
    for (String key : new String[] {"layers", "heads", "width", "context"}) {
      if (!tree.path("model").has(key)) {
        throw new InputException(file + ": model." + key + " is missing");
      }
    }
    bindTree(vocabularySize().orElse(1));
    return this;
  }

  private RunConfiguration bindTree(int vocabularySize) throws InputException {
    ObjectNode complete = tree.deepCopy();
    ObjectNode model = (ObjectNode) complete.get("model");
    if (!model.hasNonNull("vocab_size")) {
      model.put("vocab_size", vocabularySize);
    }
    try {
      return mapper.treeToValue(complete, RunConfiguration.class);
    } catch (ValueInstantiationException refused) {
      String message = refused.getCause().getMessage();
      throw new InputException(origin(message.split("[ :,]", 2)[0]) + message, refused);
    } catch (InvalidTypeIdException unknown) {
      String key = "model.architecture";
      throw new InputException(
          origin(key) + key + " must be gpt or bert, but is " + unknown.getTypeId(), unknown);
    } catch (MismatchedInputException wrongKind) {
      String path = path(wrongKind);
      throw new InputException(origin(path) + path + " " + complaint(wrongKind, path), wrongKind);
    } catch (JsonMappingException outOfRange) {
      String path = path(outOfRange);
      throw new InputException(
          origin(path) + path + ": " + outOfRange.getOriginalMessage(), outOfRange);
    } catch (JsonProcessingException broken) {
      throw new InputException(file + ": " + broken.getOriginalMessage(), broken);
    }
  }

  private String complaint(MismatchedInputException error, String path) {
    JsonNode value = tree.at("/" + path.replace('.', '/'));
    Class<?> type = error.getTargetType();
    String wanted = "a value of another kind";
    if (type == int.class || type == long.class) {
      wanted = "a whole number";
    } else if (type == double.class) {
      wanted = "a number";
    } else if (type == boolean.class) {
      wanted = "true or false";
    } else if (type.isEnum() && error instanceof InvalidFormatException) {
      wanted =
          Arrays.stream(type.getEnumConstants())
              .map(constant -> constant.toString().toLowerCase(Locale.ROOT))
              .collect(Collectors.joining(" or "));
    }
    return "must be " + wanted + ", but is " + (value.isMissingNode() ? "missing" : value);
  }

  private static String path(JsonMappingException error) {
    return error.getPath().stream()
        .map(JsonMappingException.Reference::getFieldName)
        .collect(Collectors.joining("."));
  }

  private String origin(String path) {
    return origins.getOrDefault(path, file) + ": ";
  }
}
