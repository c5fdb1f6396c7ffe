package org.sparkformer.collective;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** Bytes that are copied, not added: one root's data to all, or everyone's message to everyone. */
final class Messages {
  /** Longer messages belong in {@link Collective#broadcast}, which needs no memory of its own. */
  static final int LARGEST_MESSAGE = 64 << 20;

  private static final int WINDOW = 8;

  private final Wire wire;

  Messages(Wire wire) {
    this.wire = wire;
  }

  /** The root waits for every chunk to be taken, so that it cannot run ahead of a slow rank. */
  void broadcast(int root, ByteBuffer data) {
    if (wire.rank() == root) {
      give(data);
    } else {
      takeFrom(root, data);
    }
  }

  List<byte[]> gather(byte[] message) {
    List<ByteArrayOutputStream> messages = new ArrayList<>();
    for (int rank = 0; rank < wire.size(); rank++) {
      messages.add(new ByteArrayOutputStream());
    }
    messages.get(wire.rank()).writeBytes(message);
    ByteBuffer mine = ByteBuffer.wrap(message);
    long[] lengths = new long[wire.size()];
    long longest = message.length;
    for (int chunk = 0; chunk < chunks(longest); chunk++) {
      if (chunk < chunks(message.length)) {
        wire.send(key(chunk), message.length, chunkOf(mine, chunk), wire.others());
      }
      for (int peer : wire.others()) {
        if (chunk == 0 || chunk < chunks(lengths[peer])) {
          lengths[peer] = receive(peer, chunk, messages.get(peer));
          longest = Math.max(longest, lengths[peer]);
        }
      }
    }
    return messages.stream().map(ByteArrayOutputStream::toByteArray).toList();
  }

  /** Appends a peer's chunk and returns the length of the whole message. */
  private long receive(int peer, int chunk, ByteArrayOutputStream message) {
    Inbox.Mail mail = wire.take(peer, key(chunk));
    byte[] bytes = new byte[mail.payload().remaining()];
    mail.payload().get(bytes).clear();
    wire.pool().release(mail.payload());
    message.writeBytes(bytes);
    return Math.min(mail.header().total(), LARGEST_MESSAGE);
  }

  private void give(ByteBuffer data) {
    int chunks = chunks(data.limit());
    for (int chunk = 0; chunk < chunks + WINDOW; chunk++) {
      if (chunk >= WINDOW) {
        for (int peer : wire.others()) {
          wire.awaitAcknowledgement(peer, chunk - WINDOW);
        }
      }
      if (chunk < chunks) {
        wire.send(key(chunk), data.limit(), chunkOf(data, chunk), wire.others());
      }
    }
  }

  private void takeFrom(int root, ByteBuffer data) {
    for (int chunk = 0; chunk < chunks(data.limit()); chunk++) {
      ByteBuffer target = chunkOf(data, chunk);
      ByteBuffer bytes = wire.take(root, key(chunk), target.remaining(), data.limit());
      target.put(bytes);
      wire.pool().release(bytes);
      wire.acknowledge(root, chunk);
    }
  }

  private FrameKey key(int chunk) {
    return wire.key(FrameKey.GATHER, chunk, 0);
  }

  /** At least one: an empty message is sent too, so that it can be waited for. */
  private int chunks(long bytes) {
    return (int) Math.max(1, (bytes + wire.chunkBytes() - 1) / wire.chunkBytes());
  }

  private ByteBuffer chunkOf(ByteBuffer data, int chunk) {
    int from = (int) Math.min(data.limit(), (long) chunk * wire.chunkBytes());
    return data.slice(from, Math.min(wire.chunkBytes(), data.limit() - from));
  }
}
