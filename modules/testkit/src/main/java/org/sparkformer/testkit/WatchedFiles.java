package org.sparkformer.testkit;

import java.io.IOException;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.FilterFileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.util.Progressable;

/** A file system that tells of each file before it is created, in whichever of Hadoop's ways. */
public abstract class WatchedFiles extends FilterFileSystem {
  protected WatchedFiles(FileSystem files) {
    super(files);
  }

  /** May throw, and then there is no file. */
  protected abstract void beforeCreate(Path file) throws IOException;

  /** What the file is written through. */
  protected FSDataOutputStream watched(Path file, FSDataOutputStream stream) {
    return stream;
  }

  @Override
  public final FSDataOutputStream create(
      Path file,
      FsPermission permission,
      boolean overwrite,
      int bufferSize,
      short replication,
      long blockSize,
      Progressable progress)
      throws IOException {
    beforeCreate(file);
    return watched(
        file,
        super.create(file, permission, overwrite, bufferSize, replication, blockSize, progress));
  }
}
