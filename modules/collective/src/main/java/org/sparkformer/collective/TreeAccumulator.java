package org.sparkformer.collective;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BinaryOperator;
import java.util.function.Consumer;

/**
 * Folds the sums of consecutive leaves as soon as the {@link SummationTree} allows, like a binary
 * counter, so that a rank keeps few buffers however many micro-batches it accumulates ({@link
 * SummationTree#buffersNeeded}).
 *
 * <p>The values live wherever the caller keeps them (usually in device memory). {@code fold}
 * returns the sum of a left and a right value, normally having added the right one into the left
 * one; whichever operand it does not return is handed to {@code release}. Not thread safe.
 *
 * @param <T> a leaf's sum, for instance a device buffer of gradients
 */
public final class TreeAccumulator<T> {
  private final SummationTree tree;
  private final BinaryOperator<T> fold;
  private final Consumer<T> release;
  private final List<LeafRange> pieces;
  private final List<Held<T>> stack = new ArrayList<>();
  private int nextPiece;

  /** Accumulates the leaves of {@code range}, one push a leaf. */
  public TreeAccumulator(
      SummationTree tree, LeafRange range, BinaryOperator<T> fold, Consumer<T> release) {
    this(tree, leavesOf(tree, range), fold, release);
  }

  /**
   * Accumulates partial sums over {@code pieces}, neighbouring nodes of the tree, one push a piece.
   */
  public TreeAccumulator(
      SummationTree tree, List<LeafRange> pieces, BinaryOperator<T> fold, Consumer<T> release) {
    this.tree = tree;
    this.pieces = pieces;
    this.fold = fold;
    this.release = release;
  }

  /**
   * Takes the sum of the next leaf and folds every pair of siblings that is now complete. The
   * accumulator owns the value until {@link #partials} or {@link #clear}.
   *
   * @throws IllegalStateException when every leaf has been pushed already
   */
  public void push(T leafSum) {
    if (isComplete()) {
      throw new IllegalStateException(
          "all " + pieces.size() + " leaves were pushed already: take partials() first");
    }
    stack.add(new Held<>(pieces.get(nextPiece++), leafSum));
    while (stack.size() > 1 && topPairIsWhole()) {
      foldTopPair();
    }
  }

  /** Whether every leaf has been pushed. */
  public boolean isComplete() {
    return nextPiece == pieces.size();
  }

  /**
   * Gives up the partial sums, one for each maximal subtree in leaf order, and is ready for the
   * next batch. The caller owns them from now on.
   *
   * @throws IllegalStateException when leaves are missing
   */
  public List<T> partials() {
    if (!isComplete()) {
      throw new IllegalStateException(
          nextPiece + " of " + pieces.size() + " leaves were pushed: the sum is not complete");
    }
    List<T> sums = stack.stream().map(Held::sum).toList();
    stack.clear();
    nextPiece = 0;
    return sums;
  }

  /** Releases everything held and starts again, for a batch given up half-way. */
  public void clear() {
    stack.forEach(held -> release.accept(held.sum()));
    stack.clear();
    nextPiece = 0;
  }

  private boolean topPairIsWhole() {
    int top = stack.size() - 1;
    return tree.siblings(stack.get(top - 1).node(), stack.get(top).node());
  }

  private void foldTopPair() {
    Held<T> right = stack.remove(stack.size() - 1);
    Held<T> left = stack.remove(stack.size() - 1);
    T sum = fold.apply(left.sum(), right.sum());
    releaseUnless(sum, left.sum());
    releaseUnless(sum, right.sum());
    stack.add(new Held<>(new LeafRange(left.node().from(), right.node().to()), sum));
  }

  private void releaseUnless(T kept, T operand) {
    if (operand != kept) {
      release.accept(operand);
    }
  }

  private static List<LeafRange> leavesOf(SummationTree tree, LeafRange range) {
    if (range.to() > tree.leaves()) {
      throw new IllegalArgumentException(
          "leaves " + range + " lie outside a tree of " + tree.leaves() + " leaves");
    }
    List<LeafRange> single = new ArrayList<>(range.count());
    for (int leaf = range.from(); leaf < range.to(); leaf++) {
      single.add(new LeafRange(leaf, leaf + 1));
    }
    return single;
  }

  private record Held<T>(LeafRange node, T sum) {}
}
