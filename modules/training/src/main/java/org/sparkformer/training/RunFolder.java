package org.sparkformer.training;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.StreamCapabilities;
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
    return fileSystem.exists(resolve(name));
  }

  /** The content of a file; empty where there is none. */
  public Optional<byte[]> read(String name) throws IOException {
    try (InputStream stream = fileSystem.open(resolve(name))) {
      return Optional.of(stream.readAllBytes());
    } catch (FileNotFoundException absent) {
      return Optional.empty();
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
