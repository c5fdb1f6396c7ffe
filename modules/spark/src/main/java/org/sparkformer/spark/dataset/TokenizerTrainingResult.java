package org.sparkformer.spark.dataset;

import org.sparkformer.data.Tokenizer;

/**
 * What was learnt.
 *
 * @param distinctWords different pieces that the corpus holds; for characters, different characters
 * @param seconds wall time
 */
public record TokenizerTrainingResult(Tokenizer tokenizer, long distinctWords, double seconds) {}
