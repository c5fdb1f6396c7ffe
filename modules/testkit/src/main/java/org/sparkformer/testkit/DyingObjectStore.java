package org.sparkformer.testkit;

import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.URI;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.CreateFlag;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FSDataOutputStreamBuilder;
import org.apache.hadoop.fs.FileAlreadyExistsException;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Options.CreateFileOptionKeys;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.util.Progressable;

/**
 * Objects as S3 keeps them: no folders, an object shows when its stream is closed, a rename is a
 * copy and a delete. Its user dies at the n-th change, of which what the store has done so far
 * stays; or its process ends there. Or the n-th operation fails, reading or writing, and no other.
 */
public final class DyingObjectStore extends FileSystem implements CountedChanges {
  public static final String SCHEME = "objects";

  /** Somebody else who changes objects. */
  public interface Intruder {
    void come() throws IOException;
  }

  private static final URI ROOT = URI.create(SCHEME + "://store/");

  private final StoredObjects objects;
  private final int fatal;
  private final Fault fault;
  private final AtomicInteger changes = new AtomicInteger();
  private Intruder beforePut = () -> {};

  /** As Hadoop opens {@code objects://store/FOLDER}: the objects lie in that local folder. */
  public DyingObjectStore() {
    this(new StoredObjects(java.nio.file.Path.of("/")), 0);
  }

  /**
   * @param fatal number of the change that fails, from 1; 0 for none
   */
  public DyingObjectStore(StoredObjects objects, int fatal) {
    this(objects, fatal, Fault.DEATH);
  }

  private DyingObjectStore(StoredObjects objects, int fatal, Fault fault) {
    this.objects = objects;
    this.fatal = fatal;
    this.fault = fault;
    setConf(new Configuration(false));
  }

  /** One of which one operation fails, from 1, and whose user lives on. */
  public static DyingObjectStore failingOnce(StoredObjects objects, int operation) {
    return new DyingObjectStore(objects, operation, Fault.FAILURE);
  }

  /** This one, with which this process ends, without another word. */
  public DyingObjectStore endingTheProcess(int change) {
    return new DyingObjectStore(objects, change, Fault.END_OF_PROCESS);
  }

  @Override
  public String getScheme() {
    return SCHEME;
  }

  @Override
  public int changes() {
    return changes.get();
  }

  @Override
  public void beforeCommit() throws IOException {
    change("put an object in place");
  }

  /** Lets somebody else come between an object's last byte and its appearance. */
  public void beforePut(Intruder intruder) {
    beforePut = intruder;
  }

  private void change(String what) throws IOException {
    int change = changes.incrementAndGet();
    if (fatal > 0 && (fault == Fault.FAILURE ? change == fatal : change >= fatal)) {
      fault.strike();
      throw new IOException("died at change " + fatal + ": " + what);
    }
  }

  /** A death between two changes is that of the second. A failure does not say of what. */
  private void look() throws IOException {
    if (fault == Fault.FAILURE && changes.incrementAndGet() == fatal) {
      throw new IOException("operation " + fatal + " is not answered");
    }
  }

  @Override
  public URI getUri() {
    return ROOT;
  }

  @Override
  public FSDataOutputStreamBuilder<?, ?> createFile(Path path) {
    return new Builder(this, path);
  }

  private static final class Builder
      extends FSDataOutputStreamBuilder<FSDataOutputStream, Builder> {
    private final DyingObjectStore store;
    private final Path path;

    Builder(DyingObjectStore store, Path path) {
      super(store, path);
      this.store = store;
      this.path = path;
    }

    @Override
    public Builder getThisBuilder() {
      return this;
    }

    @Override
    public FSDataOutputStream build() throws IOException {
      boolean conditional =
          getOptions()
              .getBoolean(CreateFileOptionKeys.FS_OPTION_CREATE_CONDITIONAL_OVERWRITE, false);
      boolean overwrite = getFlags().contains(CreateFlag.OVERWRITE);
      return store.stream(path, overwrite, conditional);
    }
  }

  @Override
  public FSDataOutputStream create(
      Path path,
      FsPermission permission,
      boolean overwrite,
      int bufferSize,
      short replication,
      long blockSize,
      Progressable progress)
      throws IOException {
    return stream(path, overwrite, false);
  }

  private FSDataOutputStream stream(Path path, boolean overwrite, boolean conditional)
      throws IOException {
    change("create " + path);
    String key = key(path);
    if (!overwrite && !conditional && objects.get(key) != null) {
      throw new FileAlreadyExistsException(key);
    }
    return new FSDataOutputStream(
        new ByteArrayOutputStream() {
          private boolean closed;

          @Override
          public void close() throws IOException {
            if (!closed) {
              closed = true;
              upload(key, toByteArray(), conditional);
            }
          }
        },
        null);
  }

  private void upload(String key, byte[] bytes, boolean conditional) throws IOException {
    beforePut.come();
    change("put " + key);
    if (!conditional) {
      objects.put(key, bytes);
    } else if (!objects.putIfAbsent(key, bytes)) {
      throw new FileAlreadyExistsException("precondition failed: " + key);
    }
    change("answer to put " + key);
  }

  @Override
  public boolean rename(Path from, Path to) throws IOException {
    for (String key : keys(from)) {
      change("copy " + key);
      objects.put(key(to) + key.substring(key(from).length()), objects.get(key));
      change("delete " + key);
      objects.remove(key);
    }
    return true;
  }

  @Override
  public boolean delete(Path path, boolean recursive) throws IOException {
    List<String> keys = recursive ? keys(path) : List.of(key(path));
    boolean any = false;
    for (String key : keys) {
      change("delete " + key);
      any |= objects.remove(key);
    }
    return any;
  }

  @Override
  public FileStatus getFileStatus(Path path) throws IOException {
    look();
    byte[] bytes = objects.get(key(path));
    if (bytes == null && keys(path).isEmpty()) {
      throw new FileNotFoundException(path + " is not there");
    }
    return status(path, bytes);
  }

  private static FileStatus status(Path path, byte[] bytes) {
    return new FileStatus(bytes == null ? 0 : bytes.length, bytes == null, 1, 1, 0, path);
  }

  @Override
  public FileStatus[] listStatus(Path path) throws IOException {
    look();
    if (keys(path).isEmpty()) {
      throw new FileNotFoundException(path + " is not there");
    }
    Map<String, FileStatus> children = new LinkedHashMap<>();
    for (String key : keys(path)) {
      String name = key.substring(key(path).length() + 1).split("/")[0];
      Path child = new Path(path, name);
      children.putIfAbsent(name, status(child, objects.get(key(child))));
    }
    return children.values().toArray(FileStatus[]::new);
  }

  private List<String> keys(Path path) throws IOException {
    return objects.keys(key(path));
  }

  private String key(Path path) {
    return makeQualified(path).toUri().getPath();
  }

  @Override
  public FSDataInputStream open(Path path, int bufferSize) throws IOException {
    look();
    byte[] bytes = objects.get(key(path));
    if (bytes == null) {
      throw new FileNotFoundException(path + " is not there");
    }
    FSDataInputStream stream = new FSDataInputStream(new ObjectStream(bytes));
    return fault == Fault.FAILURE
        ? new FSDataInputStream(new FailingInput(stream, this::look))
        : stream;
  }

  @Override
  public boolean mkdirs(Path path, FsPermission permission) {
    return true;
  }

  @Override
  public FSDataOutputStream append(Path path, int bufferSize, Progressable progress) {
    throw new UnsupportedOperationException("objects do not grow");
  }

  @Override
  public void setWorkingDirectory(Path path) {
    throw new UnsupportedOperationException("paths are absolute here");
  }

  @Override
  public Path getWorkingDirectory() {
    return new Path(ROOT);
  }
}
