package org.sparkformer.data;

import java.io.IOException;

/**
 * A file of a dataset is not what its manifest says: names the file, what was expected and what was
 * found.
 */
public final class CorruptDatasetException extends IOException {
  private static final long serialVersionUID = 1L;

  public CorruptDatasetException(String file, String expected, String found) {
    super(
        "the dataset file %s is corrupt: expected %s, found %s; build the dataset again"
            .formatted(file, expected, found));
  }

  public CorruptDatasetException(String file, String expected, Throwable cause) {
    super(
        "the dataset file %s is corrupt: expected %s; build the dataset again"
            .formatted(file, expected),
        cause);
  }
}
