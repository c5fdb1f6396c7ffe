package org.sparkformer.collective;

import java.nio.FloatBuffer;
import java.util.List;

/** The sum of everyone's vectors on all ranks. */
final class AllReduction {
  private final Wire wire;
  private final Terms terms;
  private final FloatBuffer sum;

  /**
   * @param sum the whole vector, from index 0 to its limit
   */
  AllReduction(Wire wire, Terms terms, FloatBuffer sum) {
    this.wire = wire;
    this.terms = terms;
    this.sum = sum;
  }

  void run(Algorithm algorithm) {
    switch (algorithm) {
      case ONE_SHOT -> everywhere();
      case DIRECT -> fused();
      case RING -> inTwoHalves();
    }
  }

  private void everywhere() {
    ShardRange everything = new ShardRange(0, sum.limit());
    new Reduction(wire, terms, rank -> everything).into(List.of(sum), round -> {});
  }

  /** A chunk leaves as soon as it is summed, while it is in cache and the link is not idle. */
  private void fused() {
    Gathering gathering = new Gathering(wire, sum);
    reduceShard().into(List.of(shard()), gathering::exchange);
    gathering.finish();
  }

  private void inTwoHalves() {
    reduceShard().into(List.of(shard()), round -> {});
    new Gathering(wire, sum).run(Algorithm.RING);
  }

  private Reduction reduceShard() {
    return new Reduction(wire, terms, this::shardOf);
  }

  private FloatBuffer shard() {
    ShardRange mine = shardOf(wire.rank());
    return sum.slice(mine.offset(), mine.length());
  }

  private ShardRange shardOf(int rank) {
    return ShardRange.of(sum.limit(), rank, wire.size());
  }
}
