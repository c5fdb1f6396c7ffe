package org.sparkformer.data;

import java.io.IOException;

/** Random access to the bytes of one shard file, safe for many threads. */
interface ShardBytes extends AutoCloseable {
  void read(long position, byte[] destination, int length) throws IOException;

  @Override
  void close() throws IOException;
}
