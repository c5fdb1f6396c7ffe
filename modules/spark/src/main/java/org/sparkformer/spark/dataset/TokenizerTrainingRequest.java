package org.sparkformer.spark.dataset;

import org.sparkformer.data.Corpus;

/**
 * What to train.
 *
 * @param vocabularySize tokens wanted, end-of-text and the 256 bytes among them; unused for
 *     characters
 * @param minimumCount pairs that occur less often are not merged; unused for characters
 */
public record TokenizerTrainingRequest(
    Corpus corpus, TokenizerKind kind, int vocabularySize, long minimumCount) {
  public static final long DEFAULT_MINIMUM_COUNT = 2;
}
