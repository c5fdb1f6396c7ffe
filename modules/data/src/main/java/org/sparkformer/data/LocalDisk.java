package org.sparkformer.data;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.FileSystemException;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FSError;
import org.apache.hadoop.fs.FSInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.FilterFileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.StreamCapabilities;
import org.apache.hadoop.fs.Syncable;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.util.Progressable;

/**
 * Local files that fail as those of all other file systems do: of a disk that is full or broken,
 * and of a thread that is interrupted, Hadoop's own make an {@link FSError}, which is no {@link
 * IOException}.
 */
public final class LocalDisk extends FilterFileSystem {
  /**
   * @param files Hadoop's, with or without its checksum files
   */
  public LocalDisk(FileSystem files) {
    super(files);
  }

  @Override
  public FSDataInputStream open(Path file, int bufferSize) throws IOException {
    return new FSDataInputStream(new Input(file, super.open(file, bufferSize)));
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
    return new FSDataOutputStream(
        new Output(
            file,
            super.create(
                file, permission, overwrite, bufferSize, replication, blockSize, progress)),
        null);
  }

  private interface Operation<T> {
    T run() throws IOException;
  }

  private static <T> T attempt(Path file, Operation<T> operation) throws IOException {
    try {
      return operation.run();
    } catch (FSError error) {
      if (error.getCause() instanceof ClosedByInterruptException interrupted) {
        throw interrupted;
      }
      IOException failed =
          new FileSystemException(file.toString(), null, error.getCause().getMessage());
      failed.initCause(error);
      throw failed;
    }
  }

  private static final class Input extends FSInputStream {
    private final Path file;
    private final FSDataInputStream stream;

    Input(Path file, FSDataInputStream stream) {
      this.file = file;
      this.stream = stream;
    }

    @Override
    public int read() throws IOException {
      return attempt(file, stream::read);
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      return attempt(file, () -> stream.read(bytes, offset, length));
    }

    @Override
    public int read(long position, byte[] bytes, int offset, int length) throws IOException {
      return attempt(file, () -> stream.read(position, bytes, offset, length));
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
    public int available() throws IOException {
      return stream.available();
    }

    @Override
    public void close() throws IOException {
      stream.close();
    }
  }

  private static final class Output extends OutputStream implements Syncable, StreamCapabilities {
    private final Path file;
    private final FSDataOutputStream stream;

    Output(Path file, FSDataOutputStream stream) {
      this.file = file;
      this.stream = stream;
    }

    @Override
    public void write(int value) throws IOException {
      run(() -> stream.write(value));
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      run(() -> stream.write(bytes, offset, length));
    }

    @Override
    public void flush() throws IOException {
      run(stream::flush);
    }

    @Override
    public void hflush() throws IOException {
      run(stream::hflush);
    }

    @Override
    public void hsync() throws IOException {
      run(stream::hsync);
    }

    @Override
    public void close() throws IOException {
      run(stream::close);
    }

    @Override
    public boolean hasCapability(String capability) {
      return stream.hasCapability(capability);
    }

    private interface Action {
      void run() throws IOException;
    }

    private void run(Action action) throws IOException {
      attempt(
          file,
          () -> {
            action.run();
            return null;
          });
    }
  }
}
