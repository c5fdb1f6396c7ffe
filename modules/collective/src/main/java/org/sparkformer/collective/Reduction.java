package org.sparkformer.collective;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;

/**
 * Direct-exchange reduction: every rank sends each peer the part of its partial sums that the peer
 * adds up, and adds up its own part along the tree. Proceeds chunk by chunk; a rank sends {@link
 * #LOOKAHEAD} chunks more than it has received from all peers, which keeps links busy and bounds
 * what waits anywhere.
 */
final class Reduction {
  static final int LOOKAHEAD = 8;

  private final Wire wire;
  private final SummationTree tree;
  private final List<FloatBuffer> partials;
  private final IntFunction<ShardRange> wanted;
  private final FloatBuffer result;
  private final List<LeafRange> nodes = new ArrayList<>();
  private final FlushedSum addition;
  private final long total;

  /**
   * @param partials this rank's partial sums, from index 0 to their limits
   * @param wanted the range of the vector that each rank adds up
   * @param result receives this rank's range
   */
  Reduction(
      Wire wire,
      SummationTree tree,
      List<FloatBuffer> partials,
      IntFunction<ShardRange> wanted,
      FloatBuffer result) {
    this.wire = wire;
    this.tree = tree;
    this.partials = partials;
    this.wanted = wanted;
    this.result = result;
    this.addition = wire.addition();
    this.total = (long) partials.get(0).limit() * Float.BYTES;
    for (int rank = 0; rank < wire.size(); rank++) {
      nodes.addAll(tree.partialsOf(rank, wire.size()));
    }
  }

  void run() {
    int rounds = 1;
    for (int rank = 0; rank < wire.size(); rank++) {
      rounds = Math.max(rounds, wire.chunksOf(wanted.apply(rank)));
    }
    for (int round = 0; round < rounds + LOOKAHEAD; round++) {
      if (round < rounds) {
        sendRound(round);
      }
      if (round >= LOOKAHEAD) {
        addRound(round - LOOKAHEAD);
      }
    }
  }

  private void sendRound(int round) {
    for (int peer : wire.others()) {
      ShardRange chunk = wire.chunkOf(wanted.apply(peer), round);
      if (isSent(chunk, round)) {
        for (int part = 0; part < partials.size(); part++) {
          FrameKey key = wire.key(FrameKey.REDUCE, round, part);
          wire.send(key, total, slice(partials.get(part), chunk), peer);
        }
      }
    }
  }

  private void addRound(int round) {
    ShardRange mine = wanted.apply(wire.rank());
    ShardRange chunk = wire.chunkOf(mine, round);
    if (!isSent(chunk, round)) {
      return;
    }
    TreeAccumulator<Operand> accumulator =
        new TreeAccumulator<>(tree, nodes, this::fold, this::release);
    for (int rank = 0; rank < wire.size(); rank++) {
      int parts = tree.partialsOf(rank, wire.size()).size();
      for (int part = 0; part < parts; part++) {
        accumulator.push(operand(rank, round, part, chunk));
      }
    }
    Operand sum = accumulator.partials().get(0);
    result.slice(chunk.offset() - mine.offset(), chunk.length()).put(sum.values().duplicate());
    release(sum);
  }

  /**
   * The first chunk goes out even when it is empty: peers then notice who is missing or out of
   * step.
   */
  private static boolean isSent(ShardRange chunk, int round) {
    return round == 0 || chunk.length() > 0;
  }

  private Operand operand(int rank, int round, int part, ShardRange chunk) {
    if (rank == wire.rank()) {
      return new Operand(slice(partials.get(part), chunk), null);
    }
    FrameKey key = wire.key(FrameKey.REDUCE, round, part);
    return Operand.in(wire.take(rank, key, chunk.length() * Float.BYTES, total));
  }

  private Operand fold(Operand left, Operand right) {
    Operand sum = left.isScratch() ? left : right.isScratch() ? right : scratch(left);
    addition.add(left.values(), right.values(), sum.values());
    return sum;
  }

  private Operand scratch(Operand model) {
    return Operand.in(wire.pool().acquire(model.values().limit() * Float.BYTES));
  }

  private void release(Operand operand) {
    if (operand.isScratch()) {
      wire.pool().release(operand.memory());
    }
  }

  private static FloatBuffer slice(FloatBuffer vector, ShardRange range) {
    return vector.slice(range.offset(), range.length());
  }

  /** A term of the sum; the caller's own memory has no {@code memory} here and is never written. */
  private record Operand(FloatBuffer values, ByteBuffer memory) {
    static Operand in(ByteBuffer memory) {
      return new Operand(memory.asFloatBuffer(), memory);
    }

    boolean isScratch() {
      return memory != null;
    }
  }
}
