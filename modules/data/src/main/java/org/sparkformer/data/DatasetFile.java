package org.sparkformer.data;

import java.util.regex.Pattern;

/**
 * One file of a dataset as its manifest records it: name in the dataset's folder, bytes, CRC32C in
 * hexadecimal.
 */
public record DatasetFile(String name, long bytes, String crc32c) {
  private static final Pattern PLAIN_NAME = Pattern.compile("\\w[\\w.-]*");

  /**
   * @throws IllegalArgumentException for a name that would lead out of the folder
   */
  public DatasetFile {
    if (!PLAIN_NAME.matcher(name).matches()) {
      throw new IllegalArgumentException("'" + name + "' is no plain file name");
    }
  }
}
