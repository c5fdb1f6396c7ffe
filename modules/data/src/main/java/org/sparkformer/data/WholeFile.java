package org.sparkformer.data;

import java.io.IOException;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** Files that are written beside their place first, so that a full disk takes nothing away. */
final class WholeFile {
  private WholeFile() {}

  /**
   * Puts a file in place of what stands there, if anything does.
   *
   * @throws IOException if it cannot be written; what stood there is still there then
   */
  static void write(FileSystem fileSystem, Path file, byte[] content) throws IOException {
    Path temporary = new Path(file.getParent(), ".%s.tmp".formatted(file.getName()));
    try {
      OutputStreams.writeAndClose(
          fileSystem.create(temporary, true), stream -> stream.write(content));
    } catch (IOException failed) {
      fileSystem.delete(temporary, false);
      throw failed;
    }
    fileSystem.delete(file, false);
    if (!fileSystem.rename(temporary, file)) {
      throw new IOException("cannot rename %s to %s".formatted(temporary, file));
    }
  }
}
