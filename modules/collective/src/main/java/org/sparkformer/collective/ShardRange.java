package org.sparkformer.collective;

/**
 * The contiguous part of a flat vector that one rank owns.
 *
 * @param offset index of the first float, a multiple of {@link #BLOCK} unless the shard is empty
 * @param length number of floats, 0 where there are fewer blocks than ranks
 */
public record ShardRange(int offset, int length) {
  /**
   * Floats in a block. Shards begin at whole blocks, so that sums over fixed blocks (the gradient
   * norm) never straddle two ranks and every shard meets the alignment that devices want of
   * sub-buffers.
   */
  public static final int BLOCK = 1024;

  public ShardRange {
    if (offset < 0 || length < 0) {
      throw new IllegalArgumentException(
          "a shard cannot have offset " + offset + " and length " + length);
    }
  }

  /**
   * The shard of {@code rank} when {@code length} floats are divided among {@code ranks}, blocks
   * spread evenly.
   */
  public static ShardRange of(int length, int rank, int ranks) {
    if (length < 0 || ranks < 1 || rank < 0 || rank >= ranks) {
      throw new IllegalArgumentException(
          "no shard of " + length + " floats for rank " + rank + " of " + ranks);
    }
    int from = boundary(length, rank, ranks);
    return new ShardRange(from, boundary(length, rank + 1, ranks) - from);
  }

  /** Index after the last float. */
  public int end() {
    return offset + length;
  }

  private static int boundary(int length, int rank, int ranks) {
    long blocks = ((long) length + BLOCK - 1) / BLOCK;
    return (int) Math.min(length, blocks * rank / ranks * BLOCK);
  }
}
