package org.sparkformer.testkit;

import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.URI;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
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
 * Objects in memory, as S3 keeps them: no folders, an object shows when its stream is closed, a
 * rename is a copy and a delete. Its user dies at the n-th change, of which what the store has done
 * so far stays; or that one alone fails.
 */
public final class DyingObjectStore extends FileSystem implements CountedChanges {
  /** What outlives the user. */
  public static final class Objects {
    private final NavigableMap<String, byte[]> content = new ConcurrentSkipListMap<>();

    /** An object; null where there is none. */
    public byte[] get(String path) {
      return content.get(path);
    }

    /** Puts an object where there may be one. */
    public void put(String path, byte[] bytes) {
      content.put(path, bytes);
    }
  }

  private static final URI ROOT = URI.create("objects://store/");

  private final Objects objects;
  private final int fatal;
  private final boolean deadly;
  private int changes;
  private Runnable beforePut = () -> {};

  /**
   * @param fatal number of the change that fails, from 1; 0 for none
   */
  public DyingObjectStore(Objects objects, int fatal) {
    this(objects, fatal, true);
  }

  private DyingObjectStore(Objects objects, int fatal, boolean deadly) {
    this.objects = objects;
    this.fatal = fatal;
    this.deadly = deadly;
    setConf(new Configuration(false));
  }

  /** One of which one change fails, from 1, and whose user lives on. */
  public static DyingObjectStore failingOnce(Objects objects, int change) {
    return new DyingObjectStore(objects, change, false);
  }

  @Override
  public int changes() {
    return changes;
  }

  @Override
  public void beforeCommit() throws IOException {
    change("put an object in place");
  }

  /** Lets somebody else come between an object's last byte and its appearance. */
  public void beforePut(Runnable action) {
    beforePut = action;
  }

  private void change(String what) throws IOException {
    changes++;
    if (fatal > 0 && (deadly ? changes >= fatal : changes == fatal)) {
      throw new IOException("died at change " + fatal + ": " + what);
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
    if (!overwrite && !conditional && objects.content.containsKey(key)) {
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
    beforePut.run();
    change("put " + key);
    if (!conditional) {
      objects.content.put(key, bytes);
    } else if (objects.content.putIfAbsent(key, bytes) != null) {
      throw new FileAlreadyExistsException("precondition failed: " + key);
    }
    change("answer to put " + key);
  }

  @Override
  public boolean rename(Path from, Path to) throws IOException {
    for (String key : keys(from)) {
      change("copy " + key);
      objects.content.put(key(to) + key.substring(key(from).length()), objects.content.get(key));
      change("delete " + key);
      objects.content.remove(key);
    }
    return true;
  }

  @Override
  public boolean delete(Path path, boolean recursive) throws IOException {
    List<String> keys = recursive ? keys(path) : List.of(key(path));
    boolean any = false;
    for (String key : keys) {
      change("delete " + key);
      any |= objects.content.remove(key) != null;
    }
    return any;
  }

  @Override
  public FileStatus getFileStatus(Path path) throws IOException {
    byte[] bytes = objects.content.get(key(path));
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
    if (keys(path).isEmpty()) {
      throw new FileNotFoundException(path + " is not there");
    }
    Map<String, FileStatus> children = new LinkedHashMap<>();
    for (String key : keys(path)) {
      String name = key.substring(key(path).length() + 1).split("/")[0];
      Path child = new Path(path, name);
      children.putIfAbsent(name, status(child, objects.content.get(key(child))));
    }
    return children.values().toArray(FileStatus[]::new);
  }

  /** Objects of this name, or under it. */
  private List<String> keys(Path path) {
    String key = key(path);
    return objects.content.keySet().stream()
        .filter(name -> name.equals(key) || name.startsWith(key + "/"))
        .toList();
  }

  private String key(Path path) {
    return makeQualified(path).toUri().getPath();
  }

  @Override
  public FSDataInputStream open(Path path, int bufferSize) throws IOException {
    byte[] bytes = objects.content.get(key(path));
    if (bytes == null) {
      throw new FileNotFoundException(path + " is not there");
    }
    return new FSDataInputStream(new ObjectStream(bytes));
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
