package org.sparkformer.training;

import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.sparkformer.collective.Addends;
import org.sparkformer.collective.Collective;
import org.sparkformer.collective.LeafRange;
import org.sparkformer.collective.SummationTree;

/**
 * The rounds of a step under full sharding: in round j rank r has the micro-batch {@code j ranks +
 * r}, where there is one. So the ranks' micro-batches of a round are neighbours, their sums a few
 * nodes of the summation tree (a single one where the ranks are a power of two that divides the
 * micro-batches), and the sums of all rounds, one after the other, make up the rest of it.
 */
record Rounds(SummationTree tree, int ranks) {
  static Rounds of(Collective collective) {
    return new Rounds(collective.tree(), collective.size());
  }

  int count() {
    return (tree.leaves() + ranks - 1) / ranks;
  }

  /** What the ranks add up in a round. */
  Addends addends(int round) {
    return Addends.from(tree, round * ranks, ranks);
  }

  /** The micro-batches that a rank computes; those with fewer than {@link #count} miss the last. */
  List<Integer> leaves(int rank) {
    return IntStream.range(0, count())
        .map(round -> round * ranks + rank)
        .filter(leaf -> leaf < tree.leaves())
        .boxed()
        .toList();
  }

  /** The sums of all rounds, in the order in which they come. */
  List<LeafRange> sums() {
    return all().flatMap(List::stream).toList();
  }

  /** The most sums of a round. */
  int mostSums() {
    return all().mapToInt(List::size).max().orElseThrow();
  }

  /** The most sums that are alive at once while those of a round come and are added to the rest. */
  int vectors() {
    int most = 0;
    int held = 0;
    int done = 0;
    for (List<LeafRange> sums : all().toList()) {
      most = Math.max(most, held + sums.size());
      done += sums.stream().mapToInt(LeafRange::count).sum();
      held = tree.maximalSubtrees(new LeafRange(0, done)).size();
    }
    return most;
  }

  private Stream<List<LeafRange>> all() {
    return IntStream.range(0, count()).mapToObj(round -> addends(round).sums());
  }
}
