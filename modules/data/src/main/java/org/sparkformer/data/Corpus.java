package org.sparkformer.data;

import java.util.List;

/**
 * Text to read.
 *
 * @param inputs files, globs or folders (read recursively) on any Hadoop file system, in this order
 * @param field the JSON field or Parquet column that holds the text; nested Parquet columns as
 *     {@code a.b}
 */
public record Corpus(List<String> inputs, InputFormat format, String field) {
  public static final String DEFAULT_FIELD = "text";

  public Corpus {
    inputs = List.copyOf(inputs);
    if (inputs.isEmpty()) {
      throw new IllegalArgumentException("no input: name at least one file, glob or folder");
    }
    if (field.isEmpty()) {
      throw new IllegalArgumentException("the name of the text field must not be empty");
    }
  }

  /** Files whose names tell their format, with the text in the field {@code text}. */
  public static Corpus of(String... inputs) {
    return new Corpus(List.of(inputs), InputFormat.AUTO, DEFAULT_FIELD);
  }
}
