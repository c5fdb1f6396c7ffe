package org.sparkformer.collective;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkformer.testkit.AllocationLimit;

/**
 * No bytes of a peer make an exception or cost memory, as they are or with a checksum that fits:
 * what is no frame ends the collective, with a reason.
 */
class FrameFuzzTest {
  private static final String RUN = "fuzzed";
  private static final int CHUNK = 4096;
  private static final FrameCodec CODEC = new FrameCodec(RUN, 0);

  static Stream<byte[]> frames() {
    return Stream.of(
        frame(Operation.ALL_REDUCE, new FrameKey(0, FrameKey.REDUCE, 0, 0), 100, 100),
        frame(Operation.NOTE, new FrameKey(0, FrameKey.GATHER, 0, 0), 5, 5),
        frame(Operation.ACTIVITY, new FrameKey(1, FrameKey.GATHER, 0, 0), 5, 5),
        frame(Operation.FAREWELL, new FrameKey(-1, FrameKey.GATHER, 0, 0), 7, 7),
        frame(Operation.MESSAGES, new FrameKey(Long.MAX_VALUE, -1, -1, -1), 0, Long.MAX_VALUE),
        frame(Operation.ALL_GATHER, new FrameKey(0, FrameKey.GATHER, 0, 0), 2 * 8192, 9));
  }

  @MethodSource("frames")
  @FuzzTest
  void endsWithAReasonOrWaits(byte[] frame) throws Exception {
    receive(frame.clone());
    receive(withChecksum(frame));
  }

  private static void receive(byte[] frame) throws Exception {
    CollectiveOptions options =
        CollectiveOptions.of(RUN, 0, Duration.ofSeconds(1)).withChunkBytes(CHUNK);
    BufferPool pool = new BufferPool(FrameCodec.HEADER_BYTES + CHUNK);
    Inbox inbox = new Inbox(0, 2, options.stepTimeout(), pool, 1 << 20);
    FrameReceiver receiver = new FrameReceiver(options, pool, inbox);
    AllocationLimit.within(
        frame.length,
        () -> {
          receiver.receivedElsewhere(1, ByteBuffer.wrap(frame));
          receiver.receivedElsewhere(1, ByteBuffer.wrap(frame));
          return inbox.failureOrigin();
        });
  }

  private static byte[] withChecksum(byte[] frame) {
    byte[] sealed = frame.clone();
    if (sealed.length >= FrameCodec.HEADER_BYTES) {
      CRC32C crc = new CRC32C();
      crc.update(sealed, 8, sealed.length - 8);
      ByteBuffer.wrap(sealed).order(ByteOrder.LITTLE_ENDIAN).putInt(4, (int) crc.getValue());
    }
    return sealed;
  }

  private static byte[] frame(Operation operation, FrameKey key, int payload, long total) {
    ByteBuffer frame = ByteBuffer.allocate(FrameCodec.HEADER_BYTES + payload);
    CODEC.seal(frame, new FrameHeader(operation, 1, key, total));
    return frame.array();
  }
}
