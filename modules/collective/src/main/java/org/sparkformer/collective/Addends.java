package org.sparkformer.collective;

import java.util.ArrayList;
import java.util.List;

/**
 * What a reduction adds up: the sums of neighbouring leaves of a tree, dealt out to the ranks in
 * the leaves' order.
 *
 * @param byRank nodes whose sums a rank has, one vector each; a rank may have none
 */
public record Addends(SummationTree tree, List<List<LeafRange>> byRank) {
  public Addends {
    byRank = byRank.stream().map(List::copyOf).toList();
  }

  /** All leaves, of which each rank has added up its own. */
  public static Addends all(SummationTree tree, int ranks) {
    List<List<LeafRange>> byRank = new ArrayList<>(ranks);
    for (int rank = 0; rank < ranks; rank++) {
      byRank.add(tree.partialsOf(rank, ranks));
    }
    return new Addends(tree, byRank);
  }

  /**
   * As many leaves as there are ranks, one each, from a first one on; where the tree ends before,
   * the last ranks have none.
   */
  public static Addends from(SummationTree tree, int first, int ranks) {
    List<List<LeafRange>> byRank = new ArrayList<>(ranks);
    for (int leaf = first; leaf < first + ranks; leaf++) {
      byRank.add(leaf < tree.leaves() ? List.of(new LeafRange(leaf, leaf + 1)) : List.of());
    }
    return new Addends(tree, byRank);
  }

  /** The nodes whose sums come out: the largest that these leaves make up, in order. */
  public List<LeafRange> sums() {
    List<LeafRange> nodes = byRank.stream().flatMap(List::stream).toList();
    int last = nodes.size() - 1;
    return tree.maximalSubtrees(new LeafRange(nodes.get(0).from(), nodes.get(last).to()));
  }
}
