package org.sparkformer.training;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.hadoop.fs.FSDataOutputStreamBuilder;
import org.apache.hadoop.fs.FileAlreadyExistsException;
import org.apache.hadoop.fs.FileContext;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Options;
import org.apache.hadoop.fs.Path;
import org.sparkformer.data.LocalDisk;
import org.sparkformer.data.OutputStreams;
import org.sparkformer.training.CheckpointFile.Content;
import org.sparkformer.training.CheckpointStore.Guard;

/** How a kind of file system puts a file in place by one atomic operation. */
enum FileCommit {
  /** POSIX: a link is made only where there is nothing, a rename replaces its target. */
  LOCAL {
    @Override
    void create(RunFolder folder, String name, Content content, Guard guard) throws IOException {
      if (folder.exists(name)) {
        throw new FileAlreadyExistsException(folder.resolve(name) + " is there already");
      }
      Path written = writeBeside(folder, name, content);
      guard.requireOwner();
      link(folder, written, folder.resolve(name));
      folder.fileSystem().delete(written, false);
    }

    @Override
    void replace(RunFolder folder, String name, byte[] content, Guard guard) throws IOException {
      Path written = writeBeside(folder, name, stream -> stream.write(content));
      guard.requireOwner();
      rename(folder, written, folder.resolve(name));
    }
  },

  /** HDFS: a rename is one step of the name node, and replaces its target only when told to. */
  HDFS {
    @Override
    void create(RunFolder folder, String name, Content content, Guard guard) throws IOException {
      Path written = writeBeside(folder, name, content);
      guard.requireOwner();
      rename(folder, written, folder.resolve(name));
    }

    @Override
    void replace(RunFolder folder, String name, byte[] content, Guard guard) throws IOException {
      FileSystem fileSystem = folder.fileSystem();
      Path written = writeBeside(folder, name, stream -> stream.write(content));
      guard.requireOwner();
      FileContext.getFileContext(fileSystem.getUri(), fileSystem.getConf())
          .rename(written, folder.resolve(name), Options.Rename.OVERWRITE);
    }
  },

  /**
   * Object stores: a rename is a copy and a delete, but an object shows only when its stream is
   * closed. New ones are created on the condition that there is none yet, which S3A passes on to
   * the store and others check when the stream is opened.
   */
  OBJECT_STORE {
    @Override
    void create(RunFolder folder, String name, Content content, Guard guard) throws IOException {
      guard.requireOwner();
      FSDataOutputStreamBuilder<?, ?> builder =
          folder.fileSystem().createFile(folder.resolve(name));
      builder.create().recursive().overwrite(false).opt(CONDITION, true);
      Tally written = new Tally();
      AtomicBoolean whole = new AtomicBoolean();
      try {
        OutputStreams.writeAndClose(
            builder.build(),
            stream -> {
              content.writeTo(written.of(stream));
              whole.set(true);
            });
      } catch (IOException refused) {
        if (!whole.get() || !holds(folder, name, written, refused)) {
          throw refused;
        }
      }
    }

    @Override
    void replace(RunFolder folder, String name, byte[] content, Guard guard) throws IOException {
      guard.requireOwner();
      OutputStreams.writeAndClose(
          folder.fileSystem().create(folder.resolve(name), true), stream -> stream.write(content));
    }
  };

  private static final String CONDITION =
      Options.CreateFileOptionKeys.FS_OPTION_CREATE_CONDITIONAL_OVERWRITE;

  /** How the names end under which files are written before they are put in place. */
  static final String TEMPORARY = ".tmp";

  /** Every scheme but these is taken for an object store. */
  static FileCommit of(FileSystem fileSystem) {
    return switch (fileSystem.getUri().getScheme()) {
      case "file" -> LOCAL;
      case "hdfs", "viewfs", "webhdfs", "swebhdfs" -> HDFS;
      default -> OBJECT_STORE;
    };
  }

  /**
   * Puts a new file in place.
   *
   * @param guard asked after the content is written and before it is put in place; by object stores
   *     before it is written
   * @throws IOException if it cannot be written, or is there already
   */
  abstract void create(RunFolder folder, String name, Content content, Guard guard)
      throws IOException;

  /** Puts a file in place of the one that is there, if one is; guarded as {@link #create}. */
  abstract void replace(RunFolder folder, String name, byte[] content, Guard guard)
      throws IOException;

  private static Path writeBeside(RunFolder folder, String name, Content content)
      throws IOException {
    // No two processes may write the same one, for each would put the other's bytes in place.
    Path temporary = folder.resolve(name + "." + UUID.randomUUID() + TEMPORARY);
    OutputStreams.writeAndClose(
        folder.fileSystem().create(temporary, true),
        stream -> {
          content.writeTo(stream);
          RunFolder.sync(stream);
        });
    return temporary;
  }

  private static void link(RunFolder folder, Path from, Path to) throws IOException {
    try {
      Files.createLink(local(folder, to), local(folder, from));
    } catch (java.nio.file.FileAlreadyExistsException taken) {
      folder.fileSystem().delete(from, false);
      throw new FileAlreadyExistsException(to + " is there already");
    } catch (NoSuchFileException removed) {
      throw new IOException(
          from + " was removed before it was put in place: another run has taken over", removed);
    } catch (UnsupportedOperationException | FileSystemException noLinks) {
      // FAT and some network disks: two processes at the same instant are not told apart there.
      rename(folder, from, to);
    }
  }

  private static java.nio.file.Path local(RunFolder folder, Path path) {
    return LocalDisk.local(folder.fileSystem(), path);
  }

  private static void rename(RunFolder folder, Path from, Path to) throws IOException {
    if (!folder.fileSystem().rename(from, to)) {
      throw new IOException("cannot rename " + from + " to " + to);
    }
  }

  /**
   * Whether an object is what was written to it: a client that repeats a request whose answer was
   * lost is refused for its own object. What was written cannot be asked for again.
   */
  private static boolean holds(RunFolder folder, String name, Tally written, IOException refused) {
    Tally found = new Tally();
    try (InputStream there = folder.fileSystem().open(folder.resolve(name))) {
      there.transferTo(found.of(OutputStream.nullOutputStream()));
    } catch (IOException unreadable) {
      refused.addSuppressed(unreadable);
      return false;
    }
    return found.isLike(written);
  }
}
