package org.sparkformer.data;

import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;

/** The file systems that a path may lie on. */
public final class HadoopFiles {
  private HadoopFiles() {}

  /**
   * The file system of a path: Hadoop's own for its scheme, local files by {@link LocalDisk}.
   *
   * @throws IOException if the scheme is not known, or the file system cannot be reached
   */
  public static FileSystem of(Path path, Configuration configuration) throws IOException {
    FileSystem files = path.getFileSystem(configuration);
    return files instanceof LocalFileSystem ? new LocalDisk(files) : files;
  }
}
