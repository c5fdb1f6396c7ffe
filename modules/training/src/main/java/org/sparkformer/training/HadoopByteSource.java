package org.sparkformer.training;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.sparkformer.models.safetensors.ByteSource;

/** A file on any Hadoop file system, read at any position. */
public final class HadoopByteSource implements ByteSource {
  private static final int LARGEST_READ = 1 << 20;

  private final Path path;
  private final long size;
  private final FSDataInputStream stream;
  private byte[] buffer = new byte[1 << 16];

  private HadoopByteSource(Path path, long size, FSDataInputStream stream) {
    this.path = path;
    this.size = size;
    this.stream = stream;
  }

  /** Opens a file of a folder. */
  public static HadoopByteSource open(RunFolder folder, String name) throws IOException {
    Path path = folder.resolve(name);
    FileSystem files = folder.fileSystem();
    return RunFolder.reading(
        path,
        () -> new HadoopByteSource(path, files.getFileStatus(path).getLen(), files.open(path)));
  }

  @Override
  public String name() {
    return path.toString();
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public void read(long position, ByteBuffer destination) throws IOException {
    RunFolder.reading(path, () -> fill(position, destination));
  }

  private ByteBuffer fill(long position, ByteBuffer destination) throws IOException {
    long at = position;
    while (destination.hasRemaining()) {
      int count = Math.min(destination.remaining(), LARGEST_READ);
      if (count > buffer.length) {
        buffer = new byte[count];
      }
      stream.readFully(at, buffer, 0, count);
      destination.put(buffer, 0, count);
      at += count;
    }
    return destination;
  }

  @Override
  public void close() throws IOException {
    stream.close();
  }
}
