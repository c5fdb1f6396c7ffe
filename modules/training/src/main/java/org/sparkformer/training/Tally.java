package org.sparkformer.training;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.zip.CRC32C;

/** Size and CRC32C of what passes through the newest of its streams. */
final class Tally {
  private final CRC32C checksum = new CRC32C();
  private long bytes;

  /** A stream that counts what it hands on. */
  OutputStream of(OutputStream stream) {
    checksum.reset();
    bytes = 0;
    return new FilterOutputStream(stream) {
      @Override
      public void write(int value) throws IOException {
        write(new byte[] {(byte) value}, 0, 1);
      }

      @Override
      public void write(byte[] source, int offset, int length) throws IOException {
        out.write(source, offset, length);
        checksum.update(source, offset, length);
        bytes += length;
      }
    };
  }

  long bytes() {
    return bytes;
  }

  String crc32c() {
    return SavedCheckpoint.hexadecimal(checksum);
  }

  /** Whether as many bytes of the same checksum have passed through another. */
  boolean isLike(Tally other) {
    return bytes == other.bytes && checksum.getValue() == other.checksum.getValue();
  }
}
