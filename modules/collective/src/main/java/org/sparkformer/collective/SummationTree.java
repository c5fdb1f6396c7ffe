package org.sparkformer.collective;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BinaryOperator;

/**
 * The one order in which a global batch is summed: a binary tree over micro-batch index that
 * depends on the number of micro-batches and on nothing else.
 *
 * <p>A node over n &gt; 1 leaves gives its left child the largest power of two smaller than n, the
 * right child the rest. Floating-point addition is not associative, so this fixed shape is what
 * makes a sum over 1, 2 or 100 ranks the same to the last bit.
 *
 * @param leaves number of micro-batches in the global batch, at least 1
 */
public record SummationTree(int leaves) {
  public SummationTree {
    if (leaves < 1) {
      throw new IllegalArgumentException("a summation tree needs at least 1 leaf, got " + leaves);
    }
  }

  /** The node over all leaves. */
  public LeafRange root() {
    return new LeafRange(0, leaves);
  }

  /**
   * The contiguous leaves that a rank computes; counts differ by at most one between ranks.
   *
   * @throws IllegalArgumentException when there are more ranks than leaves: a rank would have
   *     nothing to do
   */
  public LeafRange ownedBy(int rank, int ranks) {
    if (ranks < 1 || ranks > leaves) {
      throw new IllegalArgumentException(
          ranks
              + " ranks cannot share a global batch of "
              + leaves
              + " micro-batches: use between 1 and "
              + leaves
              + " ranks, a larger batch or a smaller micro-batch");
    }
    if (rank < 0 || rank >= ranks) {
      throw new IllegalArgumentException("rank " + rank + " is not one of " + ranks + " ranks");
    }
    return new LeafRange(boundary(rank, ranks), boundary(rank + 1, ranks));
  }

  /**
   * The partial sums that whoever computed {@code range} holds: its largest whole subtrees, in leaf
   * order.
   */
  public List<LeafRange> maximalSubtrees(LeafRange range) {
    requireInside(range);
    List<LeafRange> found = new ArrayList<>();
    collect(root(), range, found);
    return List.copyOf(found);
  }

  /** The partial sums that a rank holds: {@link #maximalSubtrees} of the leaves it owns. */
  public List<LeafRange> partialsOf(int rank, int ranks) {
    return maximalSubtrees(ownedBy(rank, ranks));
  }

  /**
   * Whether the two ranges are the left and the right child of one node, so that their sums may be
   * added.
   */
  public boolean siblings(LeafRange left, LeafRange right) {
    if (left.to() != right.from() || right.to() > leaves) {
      return false;
    }
    LeafRange parent = new LeafRange(left.from(), right.to());
    return isNode(parent) && leftChild(parent).equals(left);
  }

  /**
   * The most sums alive at once while the leaves of {@code range} are pushed into a {@link
   * TreeAccumulator}.
   */
  public int buffersNeeded(LeafRange range) {
    int[] alive = {0, 0};
    TreeAccumulator<Integer> rehearsal =
        new TreeAccumulator<>(this, range, (left, right) -> left, released -> alive[0]--);
    for (int leaf = range.from(); leaf < range.to(); leaf++) {
      alive[0]++;
      alive[1] = Math.max(alive[1], alive[0]);
      rehearsal.push(leaf);
    }
    return alive[1];
  }

  /**
   * Adds one value a leaf along the tree. For small values that every rank has (losses, counts,
   * norms of blocks).
   *
   * @param leafValues one value a leaf, in leaf order
   * @param add sum of a left and a right operand; need not be associative
   */
  public <T> T sum(List<T> leafValues, BinaryOperator<T> add) {
    if (leafValues.size() != leaves) {
      throw new IllegalArgumentException(
          "the tree has " + leaves + " leaves, got " + leafValues.size() + " values");
    }
    TreeAccumulator<T> accumulator = new TreeAccumulator<>(this, root(), add, released -> {});
    leafValues.forEach(accumulator::push);
    return accumulator.partials().get(0);
  }

  /** {@link #sum(List, BinaryOperator)} of doubles, one a leaf. */
  public double sum(double... leafValues) {
    List<Double> values = new ArrayList<>(leafValues.length);
    for (double value : leafValues) {
      values.add(value);
    }
    return sum(values, Double::sum);
  }

  private int boundary(int rank, int ranks) {
    return (int) ((long) rank * leaves / ranks);
  }

  private void requireInside(LeafRange range) {
    if (range.to() > leaves) {
      throw new IllegalArgumentException(
          "leaves " + range + " lie outside a tree of " + leaves + " leaves");
    }
  }

  private boolean isNode(LeafRange range) {
    LeafRange node = root();
    while (node.contains(range) && !node.equals(range)) {
      LeafRange left = leftChild(node);
      node = left.contains(range) ? left : rightChild(node);
    }
    return node.equals(range);
  }

  private static void collect(LeafRange node, LeafRange range, List<LeafRange> found) {
    if (range.contains(node)) {
      found.add(node);
    } else if (range.overlaps(node)) {
      collect(leftChild(node), range, found);
      collect(rightChild(node), range, found);
    }
  }

  private static LeafRange leftChild(LeafRange node) {
    return new LeafRange(node.from(), node.from() + Integer.highestOneBit(node.count() - 1));
  }

  private static LeafRange rightChild(LeafRange node) {
    return new LeafRange(leftChild(node).to(), node.to());
  }
}
