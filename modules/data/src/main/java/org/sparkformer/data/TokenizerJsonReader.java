package org.sparkformer.data;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Reads one {@code tokenizer.json}; refuses whatever would make an encoding differ from the Hugging
 * Face library's.
 */
final class TokenizerJsonReader {
  private final JsonNode root;
  private final String source;

  TokenizerJsonReader(JsonNode root, String source) {
    this.root = root;
    this.source = source;
  }

  Tokenizer read() {
    require(
        root.path("normalizer").isNull() || root.path("normalizer").isMissingNode(), "normalizer");
    return switch (root.path("model").path("type").asText()) {
      case "BPE" -> readBpe();
      case "WordLevel" -> readCharacters();
      default -> throw refused("model.type");
    };
  }

  private Tokenizer readBpe() {
    JsonNode preTokenizer = root.path("pre_tokenizer");
    require("ByteLevel".equals(preTokenizer.path("type").asText()), "pre_tokenizer.type");
    require(!preTokenizer.path("add_prefix_space").asBoolean(), "pre_tokenizer.add_prefix_space");
    require(preTokenizer.path("use_regex").asBoolean(true), "pre_tokenizer.use_regex");
    JsonNode model = root.path("model");
    require(model.path("dropout").asDouble() == 0, "model.dropout");
    for (String affix : List.of("continuing_subword_prefix", "end_of_word_suffix")) {
      require(
          model.path(affix).asText("").isEmpty() || model.path(affix).isNull(), "model." + affix);
    }
    Map<String, Integer> ids = ids(model.path("vocab"));
    List<Integer> added = addedTokens(ids);
    List<String> vocabulary = byId(ids);
    List<BpeModel.Merge> merges = merges(model.path("merges"), ids);
    return build(
        () ->
            new BpeTokenizer(
                new BpeModel(vocabulary, merges, added, model.path("ignore_merges").asBoolean())));
  }

  private Tokenizer readCharacters() {
    JsonNode split = root.path("pre_tokenizer");
    boolean everyCharacter =
        TokenizerJson.EVERY_CHARACTER.equals(split.path("pattern").path("Regex").asText())
            && "Isolated".equals(split.path("behavior").asText());
    require(everyCharacter, "pre_tokenizer");
    require(root.path("added_tokens").isEmpty(), "added_tokens");
    List<String> vocabulary = byId(ids(root.path("model").path("vocab")));
    require(
        vocabulary.stream().allMatch(entry -> entry.codePointCount(0, entry.length()) == 1),
        "model.vocab");
    int[] codePoints = vocabulary.stream().mapToInt(entry -> entry.codePointAt(0)).toArray();
    return build(() -> new CharacterTokenizer(codePoints));
  }

  private Tokenizer build(Supplier<Tokenizer> builder) {
    try {
      return builder.get();
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("%s: %s".formatted(source, e.getMessage()), e);
    }
  }

  private Map<String, Integer> ids(JsonNode vocabulary) {
    require(vocabulary.isObject() && !vocabulary.isEmpty(), "model.vocab");
    Map<String, Integer> ids = new HashMap<>();
    vocabulary.properties().forEach(entry -> ids.put(entry.getKey(), entry.getValue().asInt(-1)));
    return ids;
  }

  private List<Integer> addedTokens(Map<String, Integer> ids) {
    List<Integer> added = new ArrayList<>();
    for (JsonNode token : root.path("added_tokens")) {
      for (String flag : List.of("single_word", "lstrip", "rstrip")) {
        require(!token.path(flag).asBoolean(), "added_tokens." + flag);
      }
      require(!token.path("content").asText().isEmpty(), "added_tokens.content");
      int id = token.path("id").asInt(-1);
      Integer known = ids.putIfAbsent(token.path("content").asText(), id);
      require(known == null || known == id, "added_tokens.id");
      added.add(id);
    }
    return added;
  }

  private List<String> byId(Map<String, Integer> ids) {
    String[] entries = new String[ids.size()];
    ids.forEach(
        (entry, id) -> {
          require(
              id >= 0 && id < entries.length && entries[id] == null,
              "model.vocab (ids are not 0, 1, 2, …)");
          entries[id] = entry;
        });
    return Arrays.asList(entries);
  }

  /**
   * Merges are written as {@code "a b"} or, since version 0.20 of the library, as {@code ["a",
   * "b"]}.
   */
  private List<BpeModel.Merge> merges(JsonNode list, Map<String, Integer> ids) {
    List<BpeModel.Merge> merges = new ArrayList<>();
    for (JsonNode merge : list) {
      String[] parts =
          merge.isArray()
              ? new String[] {merge.path(0).asText(), merge.path(1).asText()}
              : merge.asText().split(" ");
      require(parts.length == 2, "model.merges[%d]".formatted(merges.size()));
      Integer left = ids.get(parts[0]);
      Integer right = ids.get(parts[1]);
      require(left != null && right != null, "model.merges[%d]".formatted(merges.size()));
      merges.add(new BpeModel.Merge(left, right));
    }
    return merges;
  }

  private void require(boolean condition, String field) {
    if (!condition) {
      throw refused(field);
    }
  }

  private IllegalArgumentException refused(String field) {
    return new IllegalArgumentException(
        "%s: %s is missing or of a kind that is not supported; supported are byte-level BPE with GPT-2's "
                .formatted(source, field)
            + "pre-tokenizer (as written here and for GPT-2) and one token a character");
  }
}
