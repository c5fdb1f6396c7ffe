package org.sparkformer.testkit;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.util.Progressable;

/** Local disks on which some of the files of weights cannot be created, and a folder not listed. */
public final class FlakyFileSystem extends LocalFileSystem {
  /** Instances are made by Hadoop, so that what is to fail must lie where all of them find it. */
  private static volatile String plan = "";

  private static final AtomicInteger ASKED = new AtomicInteger();
  private static volatile String unlisted = "";

  /** As Hadoop makes it. */
  public FlakyFileSystem() {
    super(new Raw());
  }

  /**
   * @param outcomes of the attempts to create weights: {@code x} fails; what comes later is well
   */
  public static void plan(String outcomes) {
    plan = outcomes;
    unlisted = "";
    ASKED.set(0);
  }

  /** After the first fault a folder of this name cannot be listed once. */
  public static void unlisted(String folder) {
    unlisted = folder;
  }

  /** How many of them failed. */
  public static long faults() {
    return plan.chars().limit(ASKED.get()).filter(outcome -> outcome == 'x').count();
  }

  private static final class Raw extends RawLocalFileSystem {
    @Override
    public FileStatus[] listStatus(Path folder) throws IOException {
      if (faults() > 0 && folder.getName().equals(unlisted)) {
        unlisted = "";
        throw new IOException("the file system does not answer, for the moment");
      }
      return super.listStatus(folder);
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
      if (file.getName().startsWith("model.safetensors")) {
        int number = ASKED.getAndIncrement();
        if (number < plan.length() && plan.charAt(number) == 'x') {
          throw new IOException("the disk is full, for the moment");
        }
      }
      return super.create(
          file, permission, overwrite, bufferSize, replication, blockSize, progress);
    }
  }
}
