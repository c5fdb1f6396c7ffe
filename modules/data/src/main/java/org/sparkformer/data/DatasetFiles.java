package org.sparkformer.data;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;
import org.apache.hadoop.fs.ChecksumException;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** Reads and verifies the files of a dataset's folder. */
final class DatasetFiles {
  private final FileSystem fileSystem;
  private final Path folder;

  DatasetFiles(FileSystem fileSystem, Path folder) {
    this.fileSystem = fileSystem;
    this.folder = folder;
  }

  static String hexadecimal(CRC32C checksum) {
    return "%08x".formatted(checksum.getValue());
  }

  Path path(DatasetFile file) {
    return new Path(folder, file.name());
  }

  DatasetManifest readManifest() throws IOException {
    Path file = new Path(folder, DatasetManifest.FILE_NAME);
    if (!fileSystem.exists(file)) {
      throw new FileNotFoundException(
          "no dataset at %s: it has no %s (a build that did not finish leaves none); build it first"
              .formatted(folder, DatasetManifest.FILE_NAME));
    }
    return DatasetManifest.parse(file.toString(), readText(file));
  }

  String readText(Path file) throws IOException {
    try (InputStream stream = fileSystem.open(file)) {
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    } catch (ChecksumException e) {
      throw new CorruptDatasetException(file.toString(), "what its checksum file is of", e);
    }
  }

  /**
   * The manifest agrees with itself: shards of the size of their tokens, adding up to the split.
   */
  void verifyCounts(DatasetManifest manifest, Split split) throws CorruptDatasetException {
    SplitManifest part = manifest.split(split);
    boolean sizes =
        part.shards().stream()
            .allMatch(
                shard ->
                    shard.tokens().bytes() == shard.tokenCount() * manifest.tokenBytes()
                        && shard.documents().bytes() == shard.documentCount() * Long.BYTES);
    long sum = part.shards().stream().mapToLong(Shard::tokenCount).sum();
    if (!sizes || sum != part.tokens()) {
      throw new CorruptDatasetException(
          new Path(folder, DatasetManifest.FILE_NAME).toString(),
          "shards of %,d %s tokens in all".formatted(part.tokens(), split.label()),
          sizes ? "shards of %,d".formatted(sum) : "shard sizes that contradict their counts");
    }
  }

  void verifySize(DatasetFile file) throws IOException {
    Path path = path(file);
    FileStatus status;
    try {
      status = fileSystem.getFileStatus(path);
    } catch (FileNotFoundException e) {
      throw new CorruptDatasetException(
          path.toString(), "%,d bytes".formatted(file.bytes()), "no such file");
    }
    if (status.getLen() != file.bytes()) {
      throw new CorruptDatasetException(
          path.toString(),
          "%,d bytes".formatted(file.bytes()),
          "%,d bytes".formatted(status.getLen()));
    }
  }

  void verifyChecksum(DatasetFile file) throws IOException {
    Path path = path(file);
    CRC32C checksum = new CRC32C();
    byte[] buffer = new byte[1 << 20];
    try (InputStream stream = fileSystem.open(path)) {
      for (int count = stream.read(buffer); count >= 0; count = stream.read(buffer)) {
        checksum.update(buffer, 0, count);
      }
    } catch (ChecksumException e) {
      throw new CorruptDatasetException(path.toString(), "CRC32C " + file.crc32c(), e);
    }
    if (!hexadecimal(checksum).equals(file.crc32c())) {
      throw new CorruptDatasetException(
          path.toString(), "CRC32C " + file.crc32c(), "CRC32C " + hexadecimal(checksum));
    }
  }
}
