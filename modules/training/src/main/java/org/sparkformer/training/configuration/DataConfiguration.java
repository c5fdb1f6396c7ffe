package org.sparkformer.training.configuration;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import java.io.Serializable;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What a run learns from: section {@code data} of its configuration. Either {@code dataset} names
 * token shards that are already built, or {@code input} names raw text from which they are built
 * into the run's own folder first.
 *
 * @param input text files, globs, directories, Parquet or JSONL, on any Hadoop filesystem; several
 *     separated by commas, with a backslash before a comma that belongs to a path; null when {@code
 *     dataset} is given
 * @param dataset folder of a built dataset with its manifest; null when {@code input} is given
 * @param tokenizer {@code char}, {@code bpe}, {@code masked-bpe} (all learned from the input),
 *     {@code gpt2}, or the path of a {@code tokenizer.json}
 * @param textColumn the column of Parquet files, or field of JSONL lines, that holds the text
 * @param documents where one document ends in a plain text file
 * @param maskFraction share of a sequence's tokens that are hidden, in (0, 1), where the model
 *     predicts masked tokens
 * @param validationFraction share of the text kept for validation, in [0, 1): whole documents, or
 *     the end of the text when it is one document
 */
@JsonNaming(SnakeCaseStrategy.class)
public record DataConfiguration(
    String input,
    String dataset,
    String tokenizer,
    String textColumn,
    Documents documents,
    double validationFraction,
    double maskFraction)
    implements Serializable {

  public static final DataConfiguration DEFAULTS =
      new DataConfiguration(null, null, "bpe", "text", Documents.FILE, 0.1, 0.15);

  public DataConfiguration {
    requireNonNull(tokenizer, "data.tokenizer");
    requireNonNull(textColumn, "data.text_column");
    requireNonNull(documents, "data.documents");
    if (tokenizer.isBlank()) {
      throw new IllegalArgumentException(
          "data.tokenizer must be char, bpe, masked-bpe, gpt2 or the path of a tokenizer.json, but is blank");
    }
    if (!(validationFraction >= 0 && validationFraction < 1)) {
      throw new IllegalArgumentException(
          "data.validation_fraction must be at least 0 and below 1, but is " + validationFraction);
    }
    if (!(maskFraction > 0 && maskFraction < 1)) {
      throw new IllegalArgumentException(
          "data.mask_fraction must be above 0 and below 1, but is " + maskFraction);
    }
  }

  /** Raw text with the defaults for the rest. */
  public static DataConfiguration ofInput(String input, String tokenizer) {
    return new DataConfiguration(
        input, null, tokenizer, DEFAULTS.textColumn, DEFAULTS.documents, 0.1, 0.15);
  }

  /** A dataset that is already built. */
  public static DataConfiguration ofDataset(String dataset) {
    return new DataConfiguration(
        null, dataset, DEFAULTS.tokenizer, DEFAULTS.textColumn, DEFAULTS.documents, 0.1, 0.15);
  }

  /** The {@code input} that names these paths, commas in them included. */
  public static String join(List<String> paths) {
    return paths.stream().map(path -> path.replace(",", "\\,")).collect(Collectors.joining(","));
  }

  /** The paths that {@code input} names, in its order. */
  public List<String> inputs() {
    return Arrays.stream(input.split("\\s*(?<!\\\\),\\s*"))
        .map(path -> path.replace("\\,", ","))
        .toList();
  }

  public DataConfiguration withDataset(String dataset) {
    return new DataConfiguration(
        input, dataset, tokenizer, textColumn, documents, validationFraction, maskFraction);
  }

  public DataConfiguration withInput(String input) {
    return new DataConfiguration(
        input, dataset, tokenizer, textColumn, documents, validationFraction, maskFraction);
  }
}
