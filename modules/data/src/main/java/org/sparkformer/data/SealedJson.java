package org.sparkformer.data;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.zip.CRC32C;

/** A JSON object whose last key holds the CRC32C of the object without it. */
final class SealedJson {
  private static final String END = "\n}";
  private static final String KEY = ",\n  \"manifest_crc32c\" : \"";
  private static final String SEAL = KEY + "%s\"" + END;

  private SealedJson() {}

  /**
   * @param json an object with keys, as an indenting writer ends it
   */
  static String seal(String json) {
    return json.substring(0, json.length() - END.length()) + SEAL.formatted(checksum(json));
  }

  /**
   * The object without its seal, or as it is where it has none; empty where the two do not agree.
   */
  static Optional<String> open(String sealed) {
    int key = sealed.lastIndexOf(KEY);
    if (key < 0) {
      return Optional.of(sealed);
    }
    String json = sealed.substring(0, key) + END;
    return sealed.substring(key).equals(SEAL.formatted(checksum(json)))
        ? Optional.of(json)
        : Optional.empty();
  }

  private static String checksum(String json) {
    CRC32C checksum = new CRC32C();
    checksum.update(json.getBytes(StandardCharsets.UTF_8));
    return DatasetFiles.hexadecimal(checksum);
  }
}
