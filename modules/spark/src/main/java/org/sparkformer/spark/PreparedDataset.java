package org.sparkformer.spark;

import org.sparkformer.data.DatasetManifest;

/**
 * A dataset that is there.
 *
 * @param uri its folder
 * @param vocabularySize tokens of its tokenizer
 * @param trainTokens tokens to learn from
 * @param validationTokens tokens to evaluate on
 */
public record PreparedDataset(
    String uri, int vocabularySize, long trainTokens, long validationTokens) {
  static PreparedDataset of(String uri, DatasetManifest manifest) {
    return new PreparedDataset(
        uri, manifest.vocabularySize(), manifest.train().tokens(), manifest.validation().tokens());
  }
}
