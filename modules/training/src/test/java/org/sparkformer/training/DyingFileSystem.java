package org.sparkformer.training;

import java.io.IOException;
import java.io.OutputStream;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.FilterFileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.util.Progressable;

/**
 * A local file system whose user dies at its n-th change: half of a write reaches the disk, nothing
 * after it does, not even what a dying process would clean up.
 */
final class DyingFileSystem extends FilterFileSystem {
  private final int fatal;
  private final AtomicInteger changes = new AtomicInteger();

  private DyingFileSystem(FileSystem local, int fatal) {
    super(local);
    this.fatal = fatal;
  }

  /**
   * @param fatal number of the change that fails, from 1; 0 for none
   */
  static DyingFileSystem at(int fatal) throws IOException {
    LocalFileSystem local = FileSystem.newInstanceLocal(new Configuration(false));
    return new DyingFileSystem(local.getRaw(), fatal);
  }

  /** Changes asked for so far. */
  int changes() {
    return changes.get();
  }

  private boolean isFatal() throws IOException {
    int change = changes.incrementAndGet();
    if (fatal > 0 && change > fatal) {
      throw new IOException("dead since change " + fatal);
    }
    return change == fatal;
  }

  private void change(String what) throws IOException {
    if (isFatal()) {
      throw new IOException("died at change " + fatal + ": " + what);
    }
  }

  @Override
  public FSDataOutputStream create(
      Path file,
      FsPermission permission,
      boolean overwrite,
      int bufferSize,
      short replication,
      long blockSize,
      Progressable progress)
      throws IOException {
    change("create " + file);
    FSDataOutputStream stream =
        super.create(file, permission, overwrite, bufferSize, replication, blockSize, progress);
    return new FSDataOutputStream(new DyingStream(stream, file), null);
  }

  @Override
  public boolean rename(Path from, Path to) throws IOException {
    change("rename " + from);
    return super.rename(from, to);
  }

  @Override
  public boolean delete(Path path, boolean recursive) throws IOException {
    change("delete " + path);
    return super.delete(path, recursive);
  }

  private final class DyingStream extends OutputStream {
    private final FSDataOutputStream stream;
    private final Path file;

    DyingStream(FSDataOutputStream stream, Path file) {
      this.stream = stream;
      this.file = file;
    }

    @Override
    public void write(int value) throws IOException {
      write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      if (isFatal()) {
        stream.write(bytes, offset, length / 2);
        stream.hflush();
        throw new IOException("died at change " + fatal + ": write " + file);
      }
      stream.write(bytes, offset, length);
      stream.hflush();
    }

    @Override
    public void close() throws IOException {
      stream.close();
    }
  }
}
