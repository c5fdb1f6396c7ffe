package org.sparkformer.data;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** A remote shard, read in blocks of which the most recently used of all shards are kept. */
final class CachedShard implements ShardBytes {
  private static final int BLOCK_BYTES = 1 << 18;

  /** Blocks of all shards of one dataset, at most {@code capacity} of them. */
  static final class Cache {
    private final Map<BlockKey, byte[]> blocks;

    Cache(int capacity) {
      blocks =
          new LinkedHashMap<>(capacity, 0.75f, true) {
            private static final long serialVersionUID = 1L;

            @Override
            protected boolean removeEldestEntry(Map.Entry<BlockKey, byte[]> eldest) {
              return size() > capacity;
            }
          };
    }

    private synchronized byte[] get(BlockKey key) {
      return blocks.get(key);
    }

    private synchronized void put(BlockKey key, byte[] block) {
      blocks.put(key, block);
    }
  }

  private record BlockKey(Path file, long block) {}

  private final Path file;
  private final long size;
  private final FSDataInputStream stream;
  private final Cache cache;

  CachedShard(FileSystem fileSystem, Path file, long size, Cache cache) throws IOException {
    this.file = file;
    this.size = size;
    this.cache = cache;
    this.stream = fileSystem.open(file);
  }

  @Override
  public void read(long position, byte[] destination, int length) throws IOException {
    int done = 0;
    while (done < length) {
      long block = (position + done) / BLOCK_BYTES;
      int offset = (int) ((position + done) % BLOCK_BYTES);
      byte[] bytes = block(block);
      int part = Math.min(length - done, bytes.length - offset);
      System.arraycopy(bytes, offset, destination, done, part);
      done += part;
    }
  }

  /**
   * Two threads that miss the same block both read it: harmless, and no lock is held while reading.
   */
  private byte[] block(long block) throws IOException {
    BlockKey key = new BlockKey(file, block);
    byte[] bytes = cache.get(key);
    if (bytes == null) {
      long start = block * BLOCK_BYTES;
      bytes = new byte[(int) Math.min(BLOCK_BYTES, size - start)];
      stream.readFully(start, bytes, 0, bytes.length);
      cache.put(key, bytes);
    }
    return bytes;
  }

  @Override
  public void close() throws IOException {
    stream.close();
  }
}
