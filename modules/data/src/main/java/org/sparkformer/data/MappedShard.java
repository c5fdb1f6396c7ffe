package org.sparkformer.data;

import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A local shard, mapped in segments because one mapping ends at 2 GiB. The mappings go when they
 * are collected.
 */
final class MappedShard implements ShardBytes {
  private static final int SEGMENT_BITS = 30;
  private static final long SEGMENT_BYTES = 1L << SEGMENT_BITS;

  private final MappedByteBuffer[] segments;

  MappedShard(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      long size = channel.size();
      segments = new MappedByteBuffer[(int) ((size + SEGMENT_BYTES - 1) >>> SEGMENT_BITS)];
      for (int i = 0; i < segments.length; i++) {
        long start = i * SEGMENT_BYTES;
        long length = Math.min(SEGMENT_BYTES, size - start);
        segments[i] = channel.map(FileChannel.MapMode.READ_ONLY, start, length);
      }
    }
  }

  @Override
  public void read(long position, byte[] destination, int length) {
    int done = 0;
    while (done < length) {
      MappedByteBuffer segment = segments[(int) (position + done >>> SEGMENT_BITS)];
      int offset = (int) (position + done & SEGMENT_BYTES - 1);
      int part = Math.min(length - done, segment.capacity() - offset);
      segment.get(offset, destination, done, part);
      done += part;
    }
  }

  @Override
  public void close() {
    // The JDK offers no way to unmap; the garbage collector does it.
  }
}
