package org.sparkformer.data;

import java.util.List;

/**
 * What one split holds.
 *
 * @param textBytes UTF-8 bytes of the text, separators left out; for bits per byte
 * @param shards in the order of the tokens
 */
public record SplitManifest(long tokens, long documents, long textBytes, List<Shard> shards) {
  public SplitManifest {
    shards = List.copyOf(shards);
  }
}
