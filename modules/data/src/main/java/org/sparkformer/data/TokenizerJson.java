package org.sparkformer.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * Writes {@code tokenizer.json} of the Hugging Face tokenizers library, in one canonical form, and
 * reads the kinds that this library encodes exactly: byte-level BPE with GPT-2's pre-tokenizer, and
 * one token a character.
 */
final class TokenizerJson {
  /** Every character by itself, line breaks too. */
  static final String EVERY_CHARACTER = "[\\s\\S]";

  /**
   * Longer than any entry of a character vocabulary, so never in it: unknown characters are an
   * error there as here.
   */
  static final String UNKNOWN = "<unk>";

  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

  private TokenizerJson() {}

  static Tokenizer read(String json, String source) {
    try {
      return new TokenizerJsonReader(MAPPER.readTree(json), source).read();
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(
          "%s is not JSON: %s".formatted(source, e.getOriginalMessage()), e);
    }
  }

  static String write(int[] codePoints) {
    ObjectNode vocabulary = NODES.objectNode();
    for (int id = 0; id < codePoints.length; id++) {
      vocabulary.put(Character.toString(codePoints[id]), id);
    }
    ObjectNode model = typed("WordLevel");
    model.set("vocab", vocabulary);
    model.put("unk_token", UNKNOWN);
    ObjectNode split = typed("Split");
    split.set("pattern", NODES.objectNode().put("Regex", EVERY_CHARACTER));
    split.put("behavior", "Isolated").put("invert", false);
    return write(NODES.arrayNode(), split, typed("Fuse"), model);
  }

  static String write(BpeModel bpe) {
    ArrayNode added = NODES.arrayNode();
    for (int id : bpe.addedTokens()) {
      added.add(addedToken(id, bpe.vocabulary().get(id)));
    }
    return write(added, byteLevel(), byteLevel(), bpeModel(bpe));
  }

  private static ObjectNode addedToken(int id, String content) {
    ObjectNode token = NODES.objectNode().put("id", id).put("content", content);
    for (String flag : new String[] {"single_word", "lstrip", "rstrip", "normalized"}) {
      token.put(flag, false);
    }
    return token.put("special", true);
  }

  private static ObjectNode byteLevel() {
    return typed("ByteLevel")
        .put("add_prefix_space", false)
        .put("trim_offsets", true)
        .put("use_regex", true);
  }

  private static ObjectNode bpeModel(BpeModel bpe) {
    ObjectNode vocabulary = NODES.objectNode();
    for (int id = 0; id < bpe.vocabulary().size(); id++) {
      vocabulary.put(bpe.vocabulary().get(id), id);
    }
    ArrayNode merges = NODES.arrayNode();
    for (BpeModel.Merge merge : bpe.merges()) {
      merges.add(bpe.vocabulary().get(merge.left()) + " " + bpe.vocabulary().get(merge.right()));
    }
    ObjectNode model = typed("BPE");
    for (String absent :
        new String[] {"dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix"}) {
      model.putNull(absent);
    }
    model.put("fuse_unk", false).put("byte_fallback", false);
    model.put("ignore_merges", bpe.ignoreMerges());
    model.set("vocab", vocabulary);
    model.set("merges", merges);
    return model;
  }

  private static ObjectNode typed(String type) {
    return NODES.objectNode().put("type", type);
  }

  private static String write(
      ArrayNode addedTokens, JsonNode preTokenizer, JsonNode decoder, JsonNode model) {
    ObjectNode root = NODES.objectNode().put("version", "1.0");
    root.putNull("truncation").putNull("padding");
    root.set("added_tokens", addedTokens);
    root.putNull("normalizer");
    root.set("pre_tokenizer", preTokenizer);
    root.putNull("post_processor");
    root.set("decoder", decoder);
    root.set("model", model);
    try {
      return MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(root) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree of plain values is always JSON", e);
    }
  }
}
