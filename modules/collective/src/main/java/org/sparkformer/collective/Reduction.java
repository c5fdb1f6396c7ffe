package org.sparkformer.collective;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;
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
  private final Addends addends;
  private final List<FloatBuffer> partials;
  private final WirePrecision precision;
  private final IntFunction<ShardRange> wanted;
  private final List<List<Piece>> sums;
  private final FlushedSum addition;
  private final long total;
  private FloatBuffer target;
  private int foldsLeft;

  /** A partial sum, which a rank has under the number {@code part}. */
  private record Piece(LeafRange node, int rank, int part) {}

  /**
   * @param wanted the range of the vector that each rank adds up
   */
  Reduction(Wire wire, Terms terms, IntFunction<ShardRange> wanted) {
    this.wire = wire;
    this.addends = terms.addends();
    this.partials = terms.partials();
    this.precision = wire.size() == 1 ? WirePrecision.FP32 : terms.precision();
    this.wanted = wanted;
    this.addition = wire.addition();
    this.total = (long) terms.length() * precision.bytes(2) / 2;
    this.sums = addends.sums().stream().map(this::piecesOf).toList();
  }

  private List<Piece> piecesOf(LeafRange sum) {
    List<Piece> pieces = new ArrayList<>();
    for (int rank = 0; rank < wire.size(); rank++) {
      List<LeafRange> nodes = addends.byRank().get(rank);
      for (int part = 0; part < nodes.size(); part++) {
        if (sum.contains(nodes.get(part))) {
          pieces.add(new Piece(nodes.get(part), rank, part));
        }
      }
    }
    return pieces;
  }

  /**
   * Adds up.
   *
   * @param results receive this rank's range of each sum
   * @param added told each round once this rank's chunk of it, if there is one, is in the results
   */
  void into(List<FloatBuffer> results, IntConsumer added) {
    int rounds = 1;
    for (int rank = 0; rank < wire.size(); rank++) {
      rounds = Math.max(rounds, wire.chunksOf(wanted.apply(rank)));
    }
    for (int round = 0; round < rounds + LOOKAHEAD; round++) {
      if (round < rounds) {
        sendRound(round);
      }
      if (round >= LOOKAHEAD) {
        addRound(round - LOOKAHEAD, results);
        added.accept(round - LOOKAHEAD);
      }
    }
  }

  private void sendRound(int round) {
    for (int peer : wire.others()) {
      ShardRange chunk = wire.chunkOf(wanted.apply(peer), round);
      if (isSent(chunk, round)) {
        sendChunk(chunk, round, peer);
      }
    }
  }

  /** A rank that has nothing to add sends empty frames, so that nobody runs ahead of it. */
  private void sendChunk(ShardRange chunk, int round, int peer) {
    if (isIdle(wire.rank())) {
      wire.send(wire.key(FrameKey.REDUCE, round, 0), total, FloatBuffer.allocate(0), peer);
      return;
    }
    for (int part = 0; part < partials.size(); part++) {
      send(wire.key(FrameKey.REDUCE, round, part), slice(partials.get(part), chunk), peer);
    }
  }

  private boolean isIdle(int rank) {
    return addends.byRank().get(rank).isEmpty();
  }

  private void send(FrameKey key, FloatBuffer values, int peer) {
    if (precision == WirePrecision.BF16) {
      wire.sendRounded(key, total, values, peer);
    } else {
      wire.send(key, total, values, peer);
    }
  }

  private void addRound(int round, List<FloatBuffer> results) {
    ShardRange mine = wanted.apply(wire.rank());
    ShardRange chunk = wire.chunkOf(mine, round);
    if (!isSent(chunk, round)) {
      return;
    }
    for (int sum = 0; sum < results.size(); sum++) {
      target = results.get(sum).slice(chunk.offset() - mine.offset(), chunk.length());
      add(sums.get(sum), round, chunk);
    }
    for (int peer : wire.others()) {
      if (isIdle(peer)) {
        wire.pool().release(wire.take(peer, wire.key(FrameKey.REDUCE, round, 0), 0, total));
      }
    }
  }

  private void add(List<Piece> pieces, int round, ShardRange chunk) {
    foldsLeft = pieces.size() - 1;
    TreeAccumulator<Operand> accumulator =
        new TreeAccumulator<>(
            addends.tree(), pieces.stream().map(Piece::node).toList(), this::fold, this::release);
    pieces.forEach(piece -> accumulator.push(operand(piece, round, chunk)));
    Operand sum = accumulator.partials().get(0);
    if (sum.values() != target) {
      target.put(sum.values().duplicate());
      release(sum);
    }
  }

  /**
   * The first chunk goes out even when it is empty: peers then notice who is missing or out of
   * step.
   */
  private static boolean isSent(ShardRange chunk, int round) {
    return round == 0 || chunk.length() > 0;
  }

  private Operand operand(Piece piece, int round, ShardRange chunk) {
    if (piece.rank() == wire.rank()) {
      return own(slice(partials.get(piece.part()), chunk));
    }
    FrameKey key = wire.key(FrameKey.REDUCE, round, piece.part());
    ByteBuffer payload = wire.take(piece.rank(), key, precision.bytes(chunk.length()), total);
    return precision == WirePrecision.BF16
        ? unpacked(payload, chunk.length())
        : Operand.in(payload);
  }

  private Operand own(FloatBuffer values) {
    if (precision == WirePrecision.FP32) {
      return new Operand(values, null);
    }
    ByteBuffer packed = wire.pool().acquire(precision.bytes(values.limit()));
    wire.bfloat16().write(values, packed);
    return unpacked(packed, values.limit());
  }

  private Operand unpacked(ByteBuffer packed, int floats) {
    Operand operand = scratch(floats);
    wire.bfloat16().read(packed, operand.values());
    wire.pool().release(packed);
    return operand;
  }

  /** The last sum is the result; others overwrite an operand that nobody needs. */
  private Operand fold(Operand left, Operand right) {
    foldsLeft--;
    Operand sum = foldsLeft == 0 ? new Operand(target, null) : scratchOf(left, right);
    addition.add(left.values(), right.values(), sum.values());
    return sum;
  }

  private Operand scratchOf(Operand left, Operand right) {
    return left.isScratch() ? left : right.isScratch() ? right : scratch(left.values().limit());
  }

  private Operand scratch(int floats) {
    return Operand.in(wire.pool().acquire(floats * Float.BYTES));
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
