package org.sparkformer.data;

import java.io.Closeable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * Tokenizes text that arrives in pieces into one shard, holding back what the next piece may still
 * change.
 */
final class SplitEncoder implements Closeable {
  private final Tokenizer tokenizer;
  private final ShardWriter shard;
  private final int[] separator;
  private long textBytes;

  SplitEncoder(Tokenizer tokenizer, ShardWriter shard) {
    this.tokenizer = tokenizer;
    this.shard = shard;
    this.separator = tokenizer.documentSeparator();
  }

  void encode(TextSource document, boolean separated) throws IOException {
    SafePieces pieces = new SafePieces(document, tokenizer::safeCut);
    for (String text = pieces.read(); text != null; text = pieces.read()) {
      textBytes += text.getBytes(StandardCharsets.UTF_8).length;
      shard.write(tokenizer.encode(text));
    }
    if (separated) {
      shard.write(separator);
    }
    shard.endDocument();
  }

  EncodedSlice.EncodedSplit commit() throws IOException {
    return new EncodedSlice.EncodedSplit(shard.commit(), textBytes);
  }

  @Override
  public void close() throws IOException {
    shard.close();
  }
}
