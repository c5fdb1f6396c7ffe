package org.sparkformer.collective;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/** Packs frames and hands them to the transport; a frame for several peers is packed once. */
final class Outbox {
  private final Transport transport;
  private final FrameCodec codec;
  private final BufferPool pool;

  Outbox(Transport transport, CollectiveOptions options, BufferPool pool) {
    this.transport = transport;
    this.codec = new FrameCodec(options.runId(), options.attempt());
    this.pool = pool;
  }

  /**
   * Sends a frame.
   *
   * @param bytes of the payload
   * @param fill writes the payload from position 0 on
   */
  void send(Piece piece, int bytes, Consumer<ByteBuffer> fill, int... peers) {
    ByteBuffer frame = pool.acquire(FrameCodec.HEADER_BYTES + bytes);
    fill.accept(frame.slice(FrameCodec.HEADER_BYTES, bytes).order(frame.order()));
    sealAndSend(frame, piece, peers);
  }

  /** What a payload is: see {@link FrameHeader}. */
  record Piece(Operation operation, FrameKey key, long total) {}

  private void sealAndSend(ByteBuffer frame, Piece piece, int[] peers) {
    codec.seal(
        frame, new FrameHeader(piece.operation(), transport.rank(), piece.key(), piece.total()));
    if (peers.length == 0) {
      pool.release(frame);
      return;
    }
    AtomicInteger users = new AtomicInteger(peers.length);
    for (int peer : peers) {
      transport.send(
          peer,
          frame.duplicate(),
          () -> {
            if (users.decrementAndGet() == 0) {
              pool.release(frame);
            }
          });
    }
  }
}
