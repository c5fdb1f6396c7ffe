package org.sparkformer.training;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.CRC32C;
import java.util.zip.CheckedInputStream;

/**
 * The files of a committed checkpoint beside what its manifest says of them.
 *
 * @param folder of the checkpoint
 * @param step optimizer steps done
 */
record SavedCheckpoint(RunFolder folder, int step) {

  /**
   * @throws CorruptCheckpointException if it is none of this step
   */
  CheckpointManifest manifest() throws IOException {
    String path = folder.resolve(CheckpointManifest.FILE_NAME).toString();
    byte[] json =
        folder
            .read(CheckpointManifest.FILE_NAME)
            .orElseThrow(() -> new CorruptCheckpointException(path + " is missing"));
    CheckpointManifest manifest;
    try {
      manifest = Json.read(json, CheckpointManifest.class);
    } catch (IOException unreadable) {
      throw new CorruptCheckpointException(path + " is no checkpoint manifest", unreadable);
    }
    if (!manifest.isOf(step)) {
      throw new CorruptCheckpointException(path + " is not the manifest of step " + step);
    }
    return manifest;
  }

  /** Whether the manifest can be read, and every file is there; reads none of them. */
  boolean isComplete() throws IOException {
    try {
      for (CheckpointManifest.Entry entry : manifest().files()) {
        if (!folder.exists(entry.name())) {
          return false;
        }
      }
      return true;
    } catch (CorruptCheckpointException damaged) {
      return false;
    }
  }

  /**
   * Compares every byte with the manifest.
   *
   * @throws CorruptCheckpointException naming the file that differs
   */
  void verify() throws IOException {
    for (CheckpointManifest.Entry entry : manifest().files()) {
      verify(entry);
    }
  }

  private void verify(CheckpointManifest.Entry entry) throws IOException {
    CRC32C checksum = new CRC32C();
    long bytes;
    try {
      bytes = folder.read(entry.name(), stream -> skim(new CheckedInputStream(stream, checksum)));
    } catch (FileNotFoundException absent) {
      throw new CorruptCheckpointException(folder.resolve(entry.name()) + " is missing", absent);
    }
    if (bytes != entry.bytes() || !hexadecimal(checksum).equals(entry.crc32c())) {
      throw new CorruptCheckpointException(
          "%s: expected %,d bytes with CRC32C %s, found %,d with %s"
              .formatted(
                  folder.resolve(entry.name()),
                  entry.bytes(),
                  entry.crc32c(),
                  bytes,
                  hexadecimal(checksum)));
    }
  }

  private static long skim(InputStream stream) throws IOException {
    byte[] buffer = new byte[1 << 20];
    long bytes = 0;
    for (int count = stream.read(buffer); count >= 0; count = stream.read(buffer)) {
      bytes += count;
    }
    return bytes;
  }

  static String hexadecimal(CRC32C checksum) {
    return "%08x".formatted(checksum.getValue());
  }
}
