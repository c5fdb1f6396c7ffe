package org.sparkformer.data;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkformer.testkit.AllocationLimit;

/**
 * Any text is a tokenizer or refused; a tokenizer gives back what it encoded, and its own JSON is
 * one.
 */
class TokenizerJsonFuzzTest {
  private static final String TEXT = "ab the";

  static Stream<byte[]> files() {
    return Stream.of(
            new CharacterTokenizer("\n abeht".codePoints().toArray()).toJson(),
            new BpeTokenizer(BpeTrainer.train(List.of(), 257, 1)).toJson(),
            "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[\"a a\"]},"
                + "\"pre_tokenizer\":{\"type\":\"ByteLevel\"},"
                + "\"added_tokens\":[{\"id\":-1,\"content\":\"\"}]}",
            "{\"model\":{\"type\":\"WordLevel\",\"vocab\":{\"a\":0,\"b\":2147483647}},"
                + "\"pre_tokenizer\":{\"pattern\":{\"Regex\":\"[\\\\s\\\\S]\"},"
                + "\"behavior\":\"Isolated\"}}",
            "null")
        .map(json -> json.getBytes(StandardCharsets.UTF_8));
  }

  @MethodSource("files")
  @FuzzTest
  void isATokenizerOrRefused(byte[] json) throws Exception {
    String text = new String(json, StandardCharsets.UTF_8);
    Tokenizer tokenizer;
    try {
      tokenizer = AllocationLimit.within(json.length, () -> Tokenizers.parse(text, "fuzzed"));
    } catch (IllegalArgumentException declared) {
      return;
    }
    requireRoundTrip(tokenizer);
  }

  private static void requireRoundTrip(Tokenizer tokenizer) {
    if (!Tokenizers.parse(tokenizer.toJson(), "its own").digest().equals(tokenizer.digest())) {
      throw new AssertionError("not the same tokenizer: " + tokenizer.toJson());
    }
    int[] tokens;
    try {
      tokens = tokenizer.encode(TEXT);
    } catch (IllegalArgumentException lacksACharacter) {
      return;
    }
    if (!tokenizer.decode(tokens).equals(TEXT)) {
      throw new AssertionError("decodes to " + tokenizer.decode(tokens));
    }
  }
}
