package org.sparkformer.collective;

/**
 * Leaves {@code from} (inclusive) to {@code to} (exclusive) of a {@link SummationTree}: the
 * micro-batches that one rank owns, or those under one node of the tree.
 *
 * @param from index of the first leaf, not negative
 * @param to index after the last leaf, greater than {@code from}
 */
public record LeafRange(int from, int to) {
  public LeafRange {
    if (from < 0 || to <= from) {
      throw new IllegalArgumentException(
          "a leaf range must hold at least one leaf, got [" + from + ", " + to + ")");
    }
  }

  /** Number of leaves, at least 1. */
  public int count() {
    return to - from;
  }

  /** Whether every leaf of {@code other} is a leaf of this range. */
  public boolean contains(LeafRange other) {
    return from <= other.from && other.to <= to;
  }

  /** Whether some leaf is in both ranges. */
  public boolean overlaps(LeafRange other) {
    return from < other.to && other.from < to;
  }

  @Override
  public String toString() {
    return "[" + from + ", " + to + ")";
  }
}
