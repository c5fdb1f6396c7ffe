package org.sparkformer.data;

import static java.util.stream.Collectors.toSet;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.ClosedByInterruptException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Arrays;
import java.util.Set;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FSError;
import org.apache.hadoop.fs.FSInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.FilterFileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.StreamCapabilities;
import org.apache.hadoop.fs.Syncable;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.util.Progressable;

/**
 * Local files that fail as those of all other file systems do: of a disk that is full or broken,
 * and of a thread that is interrupted, Hadoop's own make an {@link FSError}, which is no {@link
 * IOException}; and what cannot be looked at or opened, for want of rights or file descriptors or
 * by a fault of the disk, they take for what is not there.
 */
public final class LocalDisk extends FilterFileSystem {
  /** Bytes of a file's name at most, of all usual disks. */
  private static final int LONGEST_NAME = 255;

  /**
   * @param files Hadoop's, with or without its checksum files
   */
  public LocalDisk(FileSystem files) {
    super(files);
  }

  @Override
  public FSDataInputStream open(Path file, int bufferSize) throws IOException {
    return find(file, () -> new FSDataInputStream(new Input(file, super.open(file, bufferSize))));
  }

  @Override
  public FileStatus getFileStatus(Path path) throws IOException {
    return find(path, () -> super.getFileStatus(path));
  }

  /** Hadoop's own leaves out what cannot be looked at. */
  @Override
  public FileStatus[] listStatus(Path path) throws IOException {
    FileStatus[] found = find(path, () -> super.listStatus(path));
    java.nio.file.Path folder = local(path);
    if (Files.isDirectory(folder)) {
      Set<String> names =
          Arrays.stream(found).map(status -> status.getPath().getName()).collect(toSet());
      try (DirectoryStream<java.nio.file.Path> all = Files.newDirectoryStream(folder)) {
        for (java.nio.file.Path file : all) {
          if (!names.contains(file.getFileName().toString())) {
            isThere(file);
          }
        }
      } catch (DirectoryIteratorException failed) {
        throw failed.getCause();
      }
    }
    return found;
  }

  /** Twice where something has come meanwhile. */
  private <T> T find(Path path, Operation<T> operation) throws IOException {
    try {
      return operation.run();
    } catch (FileNotFoundException absent) {
      if (!isThere(local(path))) {
        throw absent;
      }
    }
    try {
      return operation.run();
    } catch (FileNotFoundException refused) {
      java.nio.file.Path there = local(path);
      // Nobody opens a folder.
      if (!isThere(there) || Files.isDirectory(there)) {
        throw refused;
      }
      IOException failed =
          Files.isReadable(there)
              ? new FileSystemException(path.toString(), null, refused.getMessage())
              : new AccessDeniedException(path.toString());
      failed.initCause(refused);
      throw failed;
    }
  }

  private java.nio.file.Path local(Path path) {
    return local(this, path);
  }

  /**
   * Where a path of a file system of local files lies. Java takes no URI of other letters than
   * ASCII.
   */
  public static java.nio.file.Path local(FileSystem disk, Path path) {
    return java.nio.file.Path.of(disk.makeQualified(path).toUri().getPath());
  }

  /**
   * @throws IOException if that is not to be known
   */
  private static boolean isThere(java.nio.file.Path path) throws IOException {
    try {
      Files.readAttributes(path, BasicFileAttributes.class);
      return true;
    } catch (NoSuchFileException absent) {
      return false;
    } catch (FileSystemException unknown) {
      // Nothing is in a file, nor has a pattern of many names, which is looked for as a name first.
      java.nio.file.Path parent = path.getParent();
      if (path.getFileName().toString().getBytes(StandardCharsets.UTF_8).length > LONGEST_NAME
          || parent != null && (!isThere(parent) || !Files.isDirectory(parent))) {
        return false;
      }
      throw unknown;
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
    return new FSDataOutputStream(
        new Output(
            file,
            super.create(
                file, permission, overwrite, bufferSize, replication, blockSize, progress)),
        null);
  }

  /** The same disk without Hadoop's checksum files. */
  LocalDisk withoutChecksums() {
    return fs instanceof LocalFileSystem checked ? new LocalDisk(checked.getRaw()) : this;
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
