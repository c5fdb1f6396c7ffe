package org.sparkformer.testkit;

import java.io.IOException;
import java.io.OutputStream;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;

/**
 * A file system whose user dies at its n-th change: half of a write reaches the disk, nothing after
 * it does, not even what a dying process would clean up; or at which its process does end. Or one
 * of which the n-th operation fails, reading or writing, and no other.
 */
public final class DyingFileSystem extends WatchedFiles implements CountedChanges {
  /** Of a process that its file system has ended: that of SIGKILL. */
  public static final int EXIT_STATUS = 137;

  private final int fatal;
  private final Fault fault;
  private final String concerning;
  private final AtomicInteger changes = new AtomicInteger();

  private DyingFileSystem(FileSystem fileSystem, int fatal, Fault fault, String concerning) {
    super(fileSystem);
    this.concerning = concerning;
    this.fatal = fatal;
    this.fault = fault;
  }

  /**
   * A local one.
   *
   * @param fatal number of the change that fails, from 1; 0 for none
   */
  public static DyingFileSystem at(int fatal) throws IOException {
    return of(local(), fatal);
  }

  /** One whose user dies. */
  public static DyingFileSystem of(FileSystem fileSystem, int fatal) {
    return new DyingFileSystem(fileSystem, fatal, Fault.DEATH, "");
  }

  /** One of which one operation fails, from 1, and whose user lives on. */
  public static DyingFileSystem failingOnce(FileSystem fileSystem, int operation) {
    return new DyingFileSystem(fileSystem, operation, Fault.FAILURE, "");
  }

  /**
   * One with which this process ends, without another word.
   *
   * @param concerning counts changes of files alone whose paths have this in them; empty for all
   */
  public static DyingFileSystem endingTheProcess(
      FileSystem fileSystem, int fatal, String concerning) {
    return new DyingFileSystem(fileSystem, fatal, Fault.END_OF_PROCESS, concerning);
  }

  /** Local disks, without Hadoop's checksum files. */
  public static FileSystem local() throws IOException {
    LocalFileSystem local = FileSystem.newInstanceLocal(new Configuration(false));
    return local.getRaw();
  }

  @Override
  public int changes() {
    return changes.get();
  }

  @Override
  public void beforeCommit() throws IOException {
    change("put a file in place");
  }

  private boolean isFatal(String what) throws IOException {
    if (!what.contains(concerning)) {
      return false;
    }
    int change = changes.incrementAndGet();
    if (fault != Fault.FAILURE && fatal > 0 && change > fatal) {
      throw new IOException("dead since change " + fatal);
    }
    return change == fatal;
  }

  private void change(String what) throws IOException {
    if (isFatal(what)) {
      throw death(what);
    }
  }

  private IOException death(String what) {
    fault.strike();
    return new IOException("died at change " + fatal + ": " + what);
  }

  /** A death between two changes is that of the second. A failure does not say of what. */
  private void look(String what) throws IOException {
    if (fault == Fault.FAILURE && isFatal(what)) {
      throw new IOException("operation " + fatal + " is not answered");
    }
  }

  @Override
  public FSDataInputStream open(Path file, int bufferSize) throws IOException {
    look("open " + file);
    FSDataInputStream stream = super.open(file, bufferSize);
    return fault == Fault.FAILURE
        ? new FSDataInputStream(new FailingInput(stream, () -> look("read " + file)))
        : stream;
  }

  @Override
  public FileStatus getFileStatus(Path path) throws IOException {
    look("status of " + path);
    return super.getFileStatus(path);
  }

  @Override
  public FileStatus[] listStatus(Path path) throws IOException {
    look("list " + path);
    return super.listStatus(path);
  }

  @Override
  protected void beforeCreate(Path file) throws IOException {
    change("create " + file);
  }

  @Override
  protected FSDataOutputStream watched(Path file, FSDataOutputStream stream) {
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
      if (isFatal("write " + file)) {
        stream.write(bytes, offset, length / 2);
        stream.hflush();
        throw death("write " + file);
      }
      stream.write(bytes, offset, length);
      stream.hflush();
    }

    /** The dead close nothing: HDFS shows a file's last block to others when its writer does. */
    @Override
    public void close() throws IOException {
      look("close " + file);
      if (fault == Fault.FAILURE || fatal == 0 || changes.get() < fatal) {
        stream.close();
      }
    }
  }
}
