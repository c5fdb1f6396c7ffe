package org.sparkformer.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;

/**
 * The {@code manifest.json} of a dataset, written last: a folder without it is no dataset.
 *
 * @param tokenBytes 2 (uint16) for up to 65,536 tokens, else 4 (uint32)
 * @param replacedCharacters U+FFFD put in the place of broken UTF-8
 * @param emptyDocuments documents without text, left out
 */
public record DatasetManifest(
    String format,
    int version,
    DatasetFile tokenizer,
    String tokenizerDigest,
    int vocabularySize,
    int tokenBytes,
    long replacedCharacters,
    long emptyDocuments,
    SplitManifest train,
    SplitManifest validation) {

  public static final String FILE_NAME = "manifest.json";
  public static final String TOKENIZER_FILE_NAME = "tokenizer.json";
  public static final String FORMAT = "sparkformer-dataset";
  public static final int VERSION = 1;

  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .enable(SerializationFeature.INDENT_OUTPUT)
          .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
          .build();

  public static int tokenBytes(int vocabularySize) {
    return vocabularySize <= 1 << 16 ? 2 : 4;
  }

  public SplitManifest split(Split split) {
    return split == Split.TRAIN ? train : validation;
  }

  public String toJson() {
    try {
      return SealedJson.seal(MAPPER.writeValueAsString(this));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a manifest of plain values is always JSON", e);
    }
  }

  static DatasetManifest parse(String file, String json) throws CorruptDatasetException {
    String unsealed =
        SealedJson.open(json)
            .orElseThrow(
                () ->
                    new CorruptDatasetException(
                        file, "the CRC32C of its last line", "other text above it"));
    DatasetManifest manifest;
    try {
      manifest = MAPPER.readValue(unsealed, DatasetManifest.class);
    } catch (JsonProcessingException e) {
      throw new CorruptDatasetException(file, "a dataset manifest in JSON", e);
    }
    if (manifest == null) {
      throw new CorruptDatasetException(file, "a dataset manifest in JSON", "null");
    }
    if (!FORMAT.equals(manifest.format) || manifest.version != VERSION) {
      throw new CorruptDatasetException(
          file,
          "format %s version %d".formatted(FORMAT, VERSION),
          "format %s version %d".formatted(manifest.format, manifest.version));
    }
    return manifest;
  }
}
