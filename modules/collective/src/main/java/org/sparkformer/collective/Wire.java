package org.sparkformer.collective;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.stream.IntStream;

/**
 * One running operation's view of the peers: what to send and what to wait for, by phase, chunk and
 * part.
 */
final class Wire {
  private final Operation operation;
  private final long sequence;
  private final int rank;
  private final int size;
  private final Inbox inbox;
  private final Outbox outbox;
  private final BufferPool pool;
  private final FlushedSum addition;
  private final BFloat16Format bfloat16;
  private final int chunkBytes;

  Wire(Operation operation, long sequence, TreeCollective collective) {
    this.operation = operation;
    this.sequence = sequence;
    this.rank = collective.rank();
    this.size = collective.size();
    this.inbox = collective.inbox();
    this.outbox = collective.outbox();
    this.pool = collective.pool();
    this.addition = collective.addition();
    this.bfloat16 = collective.bfloat16();
    this.chunkBytes = collective.chunkBytes();
  }

  int rank() {
    return rank;
  }

  int size() {
    return size;
  }

  BufferPool pool() {
    return pool;
  }

  FlushedSum addition() {
    return addition;
  }

  BFloat16Format bfloat16() {
    return bfloat16;
  }

  int chunkFloats() {
    return chunkBytes / Float.BYTES;
  }

  int chunkBytes() {
    return chunkBytes;
  }

  /** Every rank but this one. */
  int[] others() {
    return IntStream.range(0, size).filter(peer -> peer != rank).toArray();
  }

  void send(FrameKey key, long total, FloatBuffer values, int... peers) {
    outbox.send(
        new Outbox.Piece(operation, key, total),
        values.remaining() * Float.BYTES,
        payload -> payload.asFloatBuffer().put(values.duplicate()),
        peers);
  }

  void sendRounded(FrameKey key, long total, FloatBuffer values, int... peers) {
    outbox.send(
        new Outbox.Piece(operation, key, total),
        BFloat16Format.bytes(values.limit()),
        payload -> bfloat16.write(values, payload),
        peers);
  }

  void send(FrameKey key, long total, ByteBuffer bytes, int... peers) {
    outbox.send(
        new Outbox.Piece(operation, key, total),
        bytes.remaining(),
        payload -> payload.put(bytes.duplicate()),
        peers);
  }

  FrameKey key(int phase, int chunk, int part) {
    return new FrameKey(sequence, phase, chunk, part);
  }

  /** Waits for a frame; the caller gives its payload back to the pool. */
  Inbox.Mail take(int peer, FrameKey key) {
    return inbox.take(peer, key);
  }

  /** Waits for a frame of a vector that must be as long on the peer as it is here. */
  ByteBuffer take(int peer, FrameKey key, int bytes, long total) {
    Inbox.Mail mail = inbox.take(peer, key);
    if (mail.header().total() != total || mail.payload().remaining() != bytes) {
      throw inbox.abort(
          "rank "
              + peer
              + " gives "
              + mail.header().total()
              + " bytes where rank "
              + rank
              + " gives "
              + total
              + ": lengths must agree on all ranks");
    }
    return mail.payload();
  }

  void acknowledge(int peer, int chunk) {
    send(key(FrameKey.ACKNOWLEDGE, chunk, 0), 0, ByteBuffer.allocate(0), peer);
  }

  void awaitAcknowledgement(int peer, int chunk) {
    take(peer, key(FrameKey.ACKNOWLEDGE, chunk, 0), 0, 0);
  }

  /** Chunk {@code chunk} of a range, empty past its end. */
  ShardRange chunkOf(ShardRange range, int chunk) {
    long from = Math.min(range.end(), range.offset() + (long) chunk * chunkFloats());
    long to = Math.min(range.end(), from + chunkFloats());
    return new ShardRange((int) from, (int) (to - from));
  }

  int chunksOf(ShardRange range) {
    return (int) (((long) range.length() + chunkFloats() - 1) / chunkFloats());
  }
}
