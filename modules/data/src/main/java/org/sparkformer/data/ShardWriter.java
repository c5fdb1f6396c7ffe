package org.sparkformer.data;

import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;
import java.util.zip.CheckedOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Writes one shard under names of its attempt, and gives it its own names when it is whole: tasks
 * that run twice write the same bytes, so whichever comes first stays.
 */
final class ShardWriter implements Closeable {
  private final OutputFile tokens;
  private final OutputFile documents;
  private final int tokenBytes;
  private long tokenCount;
  private long documentCount;

  ShardWriter(FileSystem fileSystem, Path folder, String name, String attempt, int tokenBytes)
      throws IOException {
    this.tokenBytes = tokenBytes;
    this.tokens = new OutputFile(fileSystem, folder, name + ".bin", attempt);
    this.documents = new OutputFile(fileSystem, folder, name + ".idx", attempt);
  }

  void write(int[] ids) throws IOException {
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.multiplyExact(ids.length, tokenBytes))
            .order(ByteOrder.LITTLE_ENDIAN);
    for (int id : ids) {
      if (tokenBytes == Short.BYTES) {
        bytes.putShort((short) id);
      } else {
        bytes.putInt(id);
      }
    }
    tokens.write(bytes.array());
    tokenCount += ids.length;
  }

  void endDocument() throws IOException {
    documents.write(
        ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(tokenCount).array());
    documentCount++;
  }

  Shard commit() throws IOException {
    return new Shard(tokens.commit(), documents.commit(), tokenCount, documentCount);
  }

  @Override
  public void close() throws IOException {
    tokens.close();
    documents.close();
  }

  private static final class OutputFile implements Closeable {
    private final FileSystem fileSystem;
    private final Path temporary;
    private final Path destination;
    private final CRC32C checksum = new CRC32C();
    private final OutputStream stream;
    private long bytes;

    OutputFile(FileSystem fileSystem, Path folder, String name, String attempt) throws IOException {
      this.fileSystem = fileSystem;
      this.temporary = new Path(folder, ".%s.%s.tmp".formatted(name, attempt));
      this.destination = new Path(folder, name);
      this.stream =
          new BufferedOutputStream(
              new CheckedOutputStream(fileSystem.create(temporary, true), checksum), 1 << 16);
    }

    void write(byte[] content) throws IOException {
      stream.write(content);
      bytes += content.length;
    }

    DatasetFile commit() throws IOException {
      stream.close();
      boolean renamed = fileSystem.rename(temporary, destination);
      if (!renamed && !isThere()) {
        throw new IOException("cannot rename %s to %s".formatted(temporary, destination));
      }
      if (!renamed) {
        fileSystem.delete(temporary, false);
      }
      return new DatasetFile(destination.getName(), bytes, DatasetFiles.hexadecimal(checksum));
    }

    private boolean isThere() throws IOException {
      return fileSystem.exists(destination)
          && fileSystem.getFileStatus(destination).getLen() == bytes;
    }

    @Override
    public void close() throws IOException {
      stream.close();
    }
  }
}
