package org.sparkformer.data;

import java.io.IOException;
import org.apache.hadoop.fs.FileContext;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Options;
import org.apache.hadoop.fs.Path;

/** Files of which whole the old one is there, or whole the new one, whenever it is looked for. */
final class WholeFile {
  private WholeFile() {}

  /**
   * Puts a file in place of what stands there, if anything does, by one atomic operation: a rename
   * on local disks and HDFS; under schemes that are not known, those of object stores, a file shows
   * when its stream is closed. WebHDFS, Azure's ABFS and Ozone, which rename only where nothing is,
   * have nothing there for an instant.
   *
   * @throws IOException if it cannot be written; what stood there is still there then, unless an
   *     object store shows what came through of a stream that failed
   */
  static void write(FileSystem fileSystem, Path file, byte[] content) throws IOException {
    switch (fileSystem.getUri().getScheme()) {
      case "file" -> writeLocal(plain(fileSystem), file, content);
      case "hdfs", "viewfs" -> {
        Path temporary = writeBeside(fileSystem, file, content);
        FileContext.getFileContext(fileSystem.getUri(), fileSystem.getConf())
            .rename(temporary, file, Options.Rename.OVERWRITE);
      }
      case "webhdfs", "swebhdfs", "abfs", "abfss", "ofs", "o3fs" -> {
        Path temporary = writeBeside(fileSystem, file, content);
        fileSystem.delete(file, false);
        rename(fileSystem, temporary, file);
      }
      default ->
          OutputStreams.writeAndClose(
              fileSystem.create(file, true), stream -> stream.write(content));
    }
  }

  /** Without Hadoop's checksum file: nothing puts the two in place at once. */
  private static void writeLocal(FileSystem disk, Path file, byte[] content) throws IOException {
    Path temporary = writeBeside(disk, file, content);
    disk.delete(new Path(file.getParent(), ".%s.crc".formatted(file.getName())), false);
    rename(disk, temporary, file);
  }

  private static void rename(FileSystem fileSystem, Path from, Path to) throws IOException {
    if (!fileSystem.rename(from, to)) {
      throw new IOException("cannot rename %s to %s".formatted(from, to));
    }
  }

  private static FileSystem plain(FileSystem local) {
    return local instanceof LocalDisk disk ? disk.withoutChecksums() : local;
  }

  private static Path writeBeside(FileSystem fileSystem, Path file, byte[] content)
      throws IOException {
    Path temporary = new Path(file.getParent(), ".%s.tmp".formatted(file.getName()));
    try {
      OutputStreams.writeAndClose(
          fileSystem.create(temporary, true), stream -> stream.write(content));
    } catch (IOException failed) {
      fileSystem.delete(temporary, false);
      throw failed;
    }
    return temporary;
  }
}
