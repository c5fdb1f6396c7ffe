package org.sparkformer.models.safetensors;

import java.io.IOException;

/** A file is not what the safetensors format allows, or does not hold what was asked for. */
public final class SafetensorsException extends IOException {
  private static final long serialVersionUID = 1;

  private final String file;
  private final String key;

  /**
   * @param file name of the file, as its source gives it
   * @param key the tensor or header key concerned; null where it is the file as a whole
   * @param problem what is wrong, and what was expected
   */
  public SafetensorsException(String file, String key, String problem) {
    this(file, key, problem, null);
  }

  SafetensorsException(String file, String key, String problem, Throwable cause) {
    super(file + (key == null ? "" : ": " + key) + ": " + problem, cause);
    this.file = file;
    this.key = key;
  }

  /** Name of the file. */
  public String file() {
    return file;
  }

  /** The tensor or header key concerned; null where it is the file as a whole. */
  public String key() {
    return key;
  }
}
