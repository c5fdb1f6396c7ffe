package org.sparkformer.models.safetensors;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;

/** A file in memory. */
record MemoryFile(byte[] bytes) implements ByteSource {
  static final String NAME = "memory";

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public long size() {
    return bytes.length;
  }

  @Override
  public void read(long position, ByteBuffer destination) throws IOException {
    if (position + destination.remaining() > bytes.length) {
      throw new EOFException();
    }
    destination.put(bytes, (int) position, destination.remaining());
  }

  @Override
  public void close() {}
}
