package org.sparkformer.collective;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;

/** All-gather of the shards of a vector: everyone to everyone, or round a ring. */
final class Gathering {
  private static final int LOOKAHEAD = Reduction.LOOKAHEAD;
  private static final int RING_WINDOW = 8;

  private final Wire wire;
  private final FloatBuffer all;
  private final long total;
  private final int rounds;

  /**
   * @param all the whole vector, from index 0 to its limit; this rank's shard is in place already
   */
  Gathering(Wire wire, FloatBuffer all) {
    this.wire = wire;
    this.all = all;
    this.total = (long) all.limit() * Float.BYTES;
    this.rounds = rounds();
  }

  void run(Algorithm algorithm) {
    if (algorithm == Algorithm.RING) {
      ring();
      return;
    }
    for (int round = 0; round < rounds; round++) {
      exchange(round);
    }
    finish();
  }

  /**
   * Of a direct gathering: sends the own chunk of a round, and receives those of an earlier one.
   */
  void exchange(int round) {
    sendOwn(round);
    if (round >= LOOKAHEAD) {
      receiveRound(round - LOOKAHEAD);
    }
  }

  /** Of a direct gathering: receives what is still to come once every round has been exchanged. */
  void finish() {
    for (int round = Math.max(0, rounds - LOOKAHEAD); round < rounds; round++) {
      receiveRound(round);
    }
  }

  private void receiveRound(int round) {
    for (int peer : wire.others()) {
      ShardRange chunk = chunkOf(peer, round);
      if (isSent(chunk, round)) {
        receive(peer, round, chunk);
      }
    }
  }

  private void sendOwn(int round) {
    ShardRange chunk = chunkOf(wire.rank(), round);
    if (isSent(chunk, round)) {
      wire.send(wire.key(FrameKey.GATHER, round, 0), total, slice(chunk), wire.others());
    }
  }

  /** In turn t a rank hands on the shard that it received in turn t - 1. */
  private void ring() {
    int next = (wire.rank() + 1) % wire.size();
    int previous = (wire.rank() + wire.size() - 1) % wire.size();
    int hops = (wire.size() - 1) * rounds;
    for (int hop = 0; hop < hops + RING_WINDOW; hop++) {
      if (hop >= RING_WINDOW) {
        wire.awaitAcknowledgement(next, hop - RING_WINDOW);
      }
      if (hop < hops) {
        int shard = Math.floorMod(wire.rank() - hop / rounds, wire.size());
        ShardRange chunk = chunkOf(shard, hop % rounds);
        wire.send(wire.key(FrameKey.GATHER, hop, 0), total, slice(chunk), next);
        receive(previous, hop, chunkOf(Math.floorMod(shard - 1, wire.size()), hop % rounds));
        wire.acknowledge(previous, hop);
      }
    }
  }

  private void receive(int peer, int number, ShardRange chunk) {
    FrameKey key = wire.key(FrameKey.GATHER, number, 0);
    ByteBuffer bytes = wire.take(peer, key, chunk.length() * Float.BYTES, total);
    slice(chunk).put(bytes.asFloatBuffer());
    wire.pool().release(bytes);
  }

  private static boolean isSent(ShardRange chunk, int round) {
    return round == 0 || chunk.length() > 0;
  }

  private int rounds() {
    int rounds = 1;
    for (int rank = 0; rank < wire.size(); rank++) {
      rounds = Math.max(rounds, wire.chunksOf(shardOf(rank)));
    }
    return rounds;
  }

  private ShardRange shardOf(int rank) {
    return ShardRange.of(all.limit(), rank, wire.size());
  }

  private ShardRange chunkOf(int rank, int round) {
    return wire.chunkOf(shardOf(rank), round);
  }

  private FloatBuffer slice(ShardRange range) {
    return all.slice(range.offset(), range.length());
  }
}
