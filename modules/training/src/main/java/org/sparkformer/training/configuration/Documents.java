package org.sparkformer.training.configuration;

import com.fasterxml.jackson.annotation.JsonProperty;

/** What one document of a plain text file is. */
public enum Documents {
  /** The whole file. */
  @JsonProperty("file")
  FILE,
  /** Each line that is not empty. */
  @JsonProperty("lines")
  LINES
}
