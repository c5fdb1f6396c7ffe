package org.sparkformer.testkit;

import org.apache.hadoop.fs.FSInputStream;

/** An object of {@link DyingObjectStore}, as Hadoop reads it. */
final class ObjectStream extends FSInputStream {
  private final byte[] bytes;
  private int position;

  ObjectStream(byte[] bytes) {
    this.bytes = bytes;
  }

  @Override
  public void seek(long target) {
    position = Math.toIntExact(target);
  }

  @Override
  public long getPos() {
    return position;
  }

  @Override
  public boolean seekToNewSource(long target) {
    return false;
  }

  @Override
  public int read() {
    return position < bytes.length ? bytes[position++] & 0xff : -1;
  }

  @Override
  public int read(byte[] destination, int offset, int length) {
    if (position == bytes.length && length > 0) {
      return -1;
    }
    int count = Math.min(length, bytes.length - position);
    System.arraycopy(bytes, position, destination, offset, count);
    position += count;
    return count;
  }
}
