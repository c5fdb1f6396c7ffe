package org.sparkformer.testkit;

import java.io.IOException;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSInputStream;

/** A file of which each read is asked for before it is made. */
final class FailingInput extends FSInputStream {
  /** May refuse a read. */
  interface Look {
    void look() throws IOException;
  }

  private final FSDataInputStream stream;
  private final Look look;

  FailingInput(FSDataInputStream stream, Look look) {
    this.stream = stream;
    this.look = look;
  }

  @Override
  public int read() throws IOException {
    look.look();
    return stream.read();
  }

  @Override
  public int read(byte[] bytes, int offset, int length) throws IOException {
    look.look();
    return stream.read(bytes, offset, length);
  }

  @Override
  public int read(long position, byte[] bytes, int offset, int length) throws IOException {
    look.look();
    return stream.read(position, bytes, offset, length);
  }

  @Override
  public void seek(long position) throws IOException {
    stream.seek(position);
  }

  @Override
  public boolean seekToNewSource(long position) throws IOException {
    return stream.seekToNewSource(position);
  }

  @Override
  public long getPos() throws IOException {
    return stream.getPos();
  }

  @Override
  public void close() throws IOException {
    stream.close();
  }
}
