package org.sparkformer.collective;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicLong;

/** What a rank says to others beside all operations, on any thread, without waiting for anyone. */
final class Notices {
  private final TreeCollective collective;
  private final AtomicLong notes = new AtomicLong();
  private final AtomicLong activities = new AtomicLong();

  Notices(TreeCollective collective) {
    this.collective = collective;
  }

  /** A word to one rank, which gets it once and in order. */
  void note(int rank, byte[] note) {
    send(wire(Operation.NOTE, notes.getAndIncrement()), note, note.length, rank);
  }

  /**
   * What this rank is doing, to all others; only the newest counts. Said on each connection: a
   * reader that waits for bytes that nobody sends is found out by those that come.
   */
  void activity(String description) {
    byte[] text = description.getBytes(StandardCharsets.UTF_8);
    Wire wire = wire(Operation.ACTIVITY, activities.incrementAndGet());
    int length = Math.min(text.length, Collective.LARGEST_NOTE);
    for (int connection = 0; connection < collective.connections(); connection++) {
      send(wire, text, length, wire.others());
    }
  }

  /**
   * This rank leaves.
   *
   * @param reason empty where it is done
   */
  void farewell(String reason) {
    byte[] text = reason.getBytes(StandardCharsets.UTF_8);
    Wire wire = wire(Operation.FAREWELL, -1);
    send(wire, text, Math.min(text.length, wire.chunkBytes()), wire.others());
  }

  private Wire wire(Operation operation, long sequence) {
    return new Wire(operation, sequence, collective);
  }

  private static void send(Wire wire, byte[] bytes, int length, int... peers) {
    if (peers.length > 0) {
      ByteBuffer payload = ByteBuffer.wrap(bytes, 0, length).slice();
      wire.send(wire.key(FrameKey.GATHER, 0, 0), length, payload, peers);
    }
  }
}
