package org.sparkformer.spark.dataset;

import org.sparkformer.data.Corpus;
import org.sparkformer.data.Tokenizer;

/**
 * What to build.
 *
 * @param output the dataset's folder on any Hadoop file system
 * @param validationFraction of the documents, or of a single document's characters; in [0, 1)
 * @param overwrite whether to replace a dataset that stands in the folder
 */
public record DatasetBuildRequest(
    Corpus corpus,
    String output,
    Tokenizer tokenizer,
    double validationFraction,
    boolean overwrite) {
  public static final double DEFAULT_VALIDATION_FRACTION = 0.1;
}
