package org.sparkformer.collective;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.concurrent.atomic.AtomicInteger;

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

  void send(Piece piece, FloatBuffer values, int... peers) {
    ByteBuffer frame = frameFor(values.remaining() * Float.BYTES);
    frame.position(FrameCodec.HEADER_BYTES);
    frame.slice().order(frame.order()).asFloatBuffer().put(values.duplicate());
    sealAndSend(frame.position(0), piece, peers);
  }

  void send(Piece piece, ByteBuffer bytes, int... peers) {
    ByteBuffer frame = frameFor(bytes.remaining());
    frame.position(FrameCodec.HEADER_BYTES).put(bytes.duplicate());
    sealAndSend(frame.position(0), piece, peers);
  }

  /** What a payload is: see {@link FrameHeader}. */
  record Piece(Operation operation, FrameKey key, long total) {}

  private ByteBuffer frameFor(int payloadBytes) {
    return pool.acquire(FrameCodec.HEADER_BYTES + payloadBytes);
  }

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
