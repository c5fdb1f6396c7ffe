package org.sparkformer.models.safetensors;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Bytes of a file at any position, wherever the file is: local through {@link #open}, on a Hadoop
 * filesystem through the caller's own implementation. Used by one thread at a time.
 */
public interface ByteSource extends Closeable {

  /** Name of the file, for messages. */
  String name();

  /** Size in bytes. */
  long size() throws IOException;

  /**
   * Fills the rest of a buffer from a position of the file.
   *
   * @throws EOFException if the file ends before the buffer is full
   */
  void read(long position, ByteBuffer destination) throws IOException;

  /** A local file. */
  static ByteSource open(Path path) throws IOException {
    return of(path.toString(), FileChannel.open(path, StandardOpenOption.READ));
  }

  /** A channel, which the source closes. */
  static ByteSource of(String name, SeekableByteChannel channel) {
    return new ByteSource() {
      @Override
      public String name() {
        return name;
      }

      @Override
      public long size() throws IOException {
        return channel.size();
      }

      @Override
      public void read(long position, ByteBuffer destination) throws IOException {
        channel.position(position);
        while (destination.hasRemaining()) {
          if (channel.read(destination) < 0) {
            throw new EOFException(name + " ends inside a read at byte " + position);
          }
        }
      }

      @Override
      public void close() throws IOException {
        channel.close();
      }
    };
  }
}
