package org.sparkformer.training;

import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.ClosedByInterruptException;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.StreamCapabilities;
import org.apache.hadoop.security.AccessControlException;
import org.sparkformer.data.LocalDisk;
import org.sparkformer.training.CheckpointFile.Content;
import org.sparkformer.training.CheckpointStore.Guard;

/**
 * The output folder of a run, on any Hadoop file system.
 *
 * @param fileSystem not closed by the run
 * @param path the folder
 */
public record RunFolder(FileSystem fileSystem, Path path) {
  /** Local files are written without Hadoop's own checksum files: checkpoints carry theirs. */
  public RunFolder {
    fileSystem =
        fileSystem instanceof LocalFileSystem local ? new LocalDisk(local.getRaw()) : fileSystem;
  }

  /**
   * @param uri path or URI of the folder; need not exist
   */
  public static RunFolder of(Configuration hadoop, String uri) throws IOException {
    Path path = new Path(uri);
    return new RunFolder(path.getFileSystem(hadoop), path);
  }

  /** A file or folder in this folder. */
  public Path resolve(String name) {
    return new Path(path, name);
  }

  /** A folder in this folder. */
  public RunFolder folder(String name) {
    return new RunFolder(fileSystem, resolve(name));
  }

  /**
   * Sees that the folder is there or can be made.
   *
   * @throws IllegalArgumentException if a file stands in its place or in that of one above it
   */
  public void requireNoFile() throws IOException {
    Path above = fileSystem.makeQualified(path);
    while (above != null && !fileSystem.exists(above)) {
      above = above.getParent();
    }
    if (above != null && !fileSystem.getFileStatus(above).isDirectory()) {
      throw new IllegalArgumentException(
          "%s cannot be the folder of a run: %s is a file"
              .formatted(path, above.toUri().getPath()));
    }
  }

  /** Whether a file or folder is there. */
  public boolean exists(String name) throws IOException {
    return reading(resolve(name), () -> fileSystem.exists(resolve(name)));
  }

  /** What the folder holds; nothing where it is not there. */
  FileStatus[] list() throws IOException {
    try {
      return reading(path, () -> fileSystem.listStatus(path));
    } catch (FileNotFoundException none) {
      return new FileStatus[0];
    }
  }

  /** The content of a file; empty where there is none. */
  public Optional<byte[]> read(String name) throws IOException {
    try {
      return Optional.of(read(name, InputStream::readAllBytes));
    } catch (FileNotFoundException absent) {
      return Optional.empty();
    }
  }

  /** Makes something of a file's bytes. */
  interface Reader<T> {
    T read(InputStream stream) throws IOException;
  }

  /**
   * Reads a file.
   *
   * @throws FileNotFoundException if there is none
   */
  <T> T read(String name, Reader<T> reader) throws IOException {
    return reading(
        resolve(name),
        () -> {
          try (InputStream stream = fileSystem.open(resolve(name))) {
            return reader.read(stream);
          }
        });
  }

  /** Asks a file system. */
  interface Question<T> {
    T ask() throws IOException;
  }

  /** Sees that a failure names what was asked for: not every file system says it. */
  static <T> T reading(Path path, Question<T> question) throws IOException {
    try {
      return question.ask();
    } catch (FileNotFoundException
        | EOFException
        | AccessControlException
        | ClosedByInterruptException known) {
      throw known;
    } catch (IOException failed) {
      if (String.valueOf(failed.getMessage()).contains(path.toUri().getPath())) {
        throw failed;
      }
      throw new IOException("cannot read " + path + ": " + failed.getMessage(), failed);
    }
  }

  /**
   * Writes a new file so that it is there whole or not at all.
   *
   * @throws IOException if it cannot be written, or is there already
   */
  public void commit(String name, byte[] content) throws IOException {
    commit(name, content, Guard.SOLE);
  }

  /** As {@link #commit(String, byte[])}, if the guard still lets it at the last moment. */
  void commit(String name, byte[] content, Guard guard) throws IOException {
    commit(name, stream -> stream.write(content), guard);
  }

  /** As {@link #commit(String, byte[], Guard)}, of any size. */
  void commit(String name, Content content, Guard guard) throws IOException {
    FileCommit.of(fileSystem).create(this, name, content, guard);
  }

  /** Writes a file so that whole the old one is there, or whole the new one. */
  public void replace(String name, byte[] content) throws IOException {
    replace(name, content, Guard.SOLE);
  }

  /** As {@link #replace(String, byte[])}, if the guard still lets it at the last moment. */
  void replace(String name, byte[] content, Guard guard) throws IOException {
    FileCommit.of(fileSystem).replace(this, name, content, guard);
  }

  /** Asks that what was written survive a power failure, where the file system can promise it. */
  public static void sync(FSDataOutputStream stream) throws IOException {
    if (stream.hasCapability(StreamCapabilities.HSYNC)) {
      stream.hsync();
    }
  }
}
