package org.sparkformer.collective;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * Writes and checks frame headers. Little-endian: magic, CRC32C of all that follows it, 128 bits of
 * the run id's SHA-256, attempt, sender, sequence, operation, phase, chunk, part, payload bytes,
 * total bytes; then the payload.
 */
final class FrameCodec {
  /** Bytes before the payload; a multiple of 64 keeps payloads aligned for vector loads. */
  static final int HEADER_BYTES = 64;

  private static final int MAGIC = 0x31434653; // "SFC1"
  private static final int CHECKED_FROM = 8;

  private final long runHigh;
  private final long runLow;
  private final int attempt;

  FrameCodec(String runId, int attempt) {
    ByteBuffer digest = ByteBuffer.wrap(sha256(runId));
    this.runHigh = digest.getLong();
    this.runLow = digest.getLong();
    this.attempt = attempt;
  }

  /**
   * Fills in the header of a frame whose payload has been written.
   *
   * @param frame position 0, limit after the payload, which begins at {@link #HEADER_BYTES}
   */
  void seal(ByteBuffer frame, FrameHeader header) {
    ByteBuffer out = frame.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    FrameKey key = header.key();
    out.putInt(MAGIC).putInt(0);
    out.putLong(runHigh).putLong(runLow).putInt(attempt).putInt(header.sender());
    out.putLong(key.sequence()).putShort((short) header.operation().ordinal());
    out.putShort((short) key.phase()).putInt(key.chunk()).putInt(key.part());
    out.putInt(frame.remaining() - HEADER_BYTES).putLong(header.total());
    out.putInt(frame.position() + Integer.BYTES, checksum(frame));
  }

  /**
   * Reads a header and leaves the position at the payload.
   *
   * @return empty for a whole frame of another run or attempt
   * @throws DamagedFrameException when the bytes are not what the sender wrote
   */
  Optional<FrameHeader> open(ByteBuffer frame) throws DamagedFrameException {
    if (frame.remaining() < HEADER_BYTES) {
      throw new DamagedFrameException("only " + frame.remaining() + " bytes");
    }
    int checksum = checksum(frame);
    frame.order(ByteOrder.LITTLE_ENDIAN);
    if (frame.getInt() != MAGIC) {
      throw new DamagedFrameException("it does not begin like a frame");
    }
    if (frame.getInt() != checksum) {
      throw new DamagedFrameException("its CRC32C does not match");
    }
    boolean ours = frame.getLong() == runHigh & frame.getLong() == runLow;
    ours &= frame.getInt() == attempt;
    FrameHeader header = readFields(frame);
    return ours ? Optional.of(header) : Optional.empty();
  }

  private static FrameHeader readFields(ByteBuffer frame) throws DamagedFrameException {
    int sender = frame.getInt();
    long sequence = frame.getLong();
    Operation operation = Operation.of(frame.getShort());
    FrameKey key = new FrameKey(sequence, frame.getShort(), frame.getInt(), frame.getInt());
    int payload = frame.getInt();
    long total = frame.getLong();
    if (payload != frame.remaining()) {
      throw new DamagedFrameException(
          "it announces " + payload + " bytes and holds " + frame.remaining());
    }
    return new FrameHeader(operation, sender, key, total);
  }

  private static int checksum(ByteBuffer frame) {
    CRC32C crc = new CRC32C();
    ByteBuffer checked = frame.duplicate();
    crc.update(checked.position(frame.position() + CHECKED_FROM));
    return (int) crc.getValue();
  }

  private static byte[] sha256(String text) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException missing) {
      throw new IllegalStateException("this Java runtime lacks SHA-256", missing);
    }
  }
}
