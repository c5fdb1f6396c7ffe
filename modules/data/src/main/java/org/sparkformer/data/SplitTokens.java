package org.sparkformer.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** The tokens of one split: its shards one after the other. */
final class SplitTokens implements AutoCloseable {
  private static final int CACHED_BLOCKS = 128;

  private final ShardBytes[] shards;

  /** Position in the split of each shard's first token, then the number of tokens. */
  private final long[] starts;

  private final List<String> files;
  private final int vocabulary;
  private final int tokenBytes;

  private SplitTokens(
      ShardBytes[] shards, long[] starts, List<String> files, DatasetManifest manifest) {
    this.shards = shards;
    this.starts = starts;
    this.files = files;
    this.vocabulary = manifest.vocabularySize();
    this.tokenBytes = manifest.tokenBytes();
  }

  static SplitTokens open(
      FileSystem fileSystem, DatasetFiles files, DatasetManifest manifest, Split split)
      throws IOException {
    List<Shard> shards = manifest.split(split).shards();
    CachedShard.Cache cache = new CachedShard.Cache(CACHED_BLOCKS);
    ShardBytes[] bytes = new ShardBytes[shards.size()];
    long[] starts = new long[bytes.length + 1];
    for (int i = 0; i < bytes.length; i++) {
      Shard shard = shards.get(i);
      bytes[i] = open(fileSystem, files.path(shard.tokens()), shard.tokens().bytes(), cache);
      starts[i + 1] = starts[i] + shard.tokenCount();
    }
    List<String> names = shards.stream().map(shard -> shard.tokens().name()).toList();
    return new SplitTokens(bytes, starts, names, manifest);
  }

  private static ShardBytes open(
      FileSystem fileSystem, Path file, long size, CachedShard.Cache cache) throws IOException {
    if ("file".equals(fileSystem.getUri().getScheme())) {
      return new MappedShard(Paths.get(fileSystem.makeQualified(file).toUri().getPath()));
    }
    return new CachedShard(fileSystem, file, size, cache);
  }

  /**
   * @throws CorruptDatasetException where there is what is no token: kernels take it for one
   */
  void read(long position, int[] destination, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(position, length, starts[starts.length - 1]);
    Objects.checkFromIndexSize(offset, length, destination.length);
    int done = 0;
    for (int shard = shardOf(position); done < length; shard++) {
      long inShard = position + done - starts[shard];
      int part = (int) Math.min(length - done, starts[shard + 1] - starts[shard] - inShard);
      readShard(shard, inShard, destination, offset + done, part);
      done += part;
    }
  }

  private int shardOf(long position) {
    int found = Arrays.binarySearch(starts, position);
    return found >= 0 ? Math.min(found, shards.length - 1) : -found - 2;
  }

  private void readShard(int shard, long position, int[] destination, int offset, int count)
      throws IOException {
    byte[] bytes = new byte[Math.multiplyExact(count, tokenBytes)];
    shards[shard].read(position * tokenBytes, bytes, bytes.length);
    ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count; i++) {
      int token =
          tokenBytes == 2 ? Short.toUnsignedInt(buffer.getShort(2 * i)) : buffer.getInt(4 * i);
      if (token < 0 || token >= vocabulary) {
        throw new CorruptDatasetException(
            files.get(shard),
            "tokens below " + vocabulary,
            "%s at %,d".formatted(Integer.toUnsignedString(token), position + i));
      }
      destination[offset + i] = token;
    }
  }

  @Override
  public void close() throws IOException {
    for (ShardBytes shard : shards) {
      shard.close();
    }
  }
}
