package org.sparkformer.data;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** The Hugging Face tokenizers library with the {@code tokenizer.json} of one of our tokenizers. */
final class HuggingFaceOracle implements AutoCloseable {
  private final HuggingFaceTokenizer tokenizer;

  private HuggingFaceOracle(HuggingFaceTokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  static HuggingFaceOracle of(Tokenizer ours) throws IOException {
    Path file = Files.createTempFile("tokenizer", ".json");
    try {
      Files.writeString(file, ours.toJson());
      return new HuggingFaceOracle(
          HuggingFaceTokenizer.builder()
              .optTokenizerPath(file)
              .optAddSpecialTokens(false)
              .optTruncation(false)
              .optPadding(false)
              .build());
    } finally {
      Files.delete(file);
    }
  }

  int[] encode(String text) {
    return toInts(encoding(text).getIds());
  }

  /** For each token the number of the piece that it lies in. */
  long[] wordOfToken(String text) {
    return encoding(text).getWordIds();
  }

  private Encoding encoding(String text) {
    return tokenizer.encode(text, false, false);
  }

  String decode(int[] tokens) {
    return tokenizer.decode(Arrays.stream(tokens).asLongStream().toArray(), false);
  }

  private static int[] toInts(long[] ids) {
    return Arrays.stream(ids).mapToInt(Math::toIntExact).toArray();
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
