package org.sparkformer.data;

import java.util.Arrays;
import java.util.Map;

/**
 * Pair of token ids to (rank, merged id): an open-addressing table of primitives, as encoding does
 * little else.
 */
final class MergeTable {
  private static final long EMPTY = -1;

  private final long[] pairs;
  private final int[] ranks;
  private final int[] merged;

  MergeTable(BpeModel model, Map<String, Integer> ids) {
    int capacity = Math.max(16, Integer.highestOneBit(Math.max(1, model.merges().size())) * 4);
    pairs = new long[capacity];
    ranks = new int[capacity];
    merged = new int[model.merges().size()];
    Arrays.fill(pairs, EMPTY);
    int rank = 0;
    for (BpeModel.Merge merge : model.merges()) {
      String entry = model.vocabulary().get(merge.left()) + model.vocabulary().get(merge.right());
      Integer id = ids.get(entry);
      if (id == null) {
        throw new IllegalArgumentException(
            "merge %d makes %s, which is not in the vocabulary".formatted(rank, entry));
      }
      merged[rank] = id;
      put(pair(merge.left(), merge.right()), rank++);
    }
  }

  /** The rank of a pair, -1 if it does not merge. */
  int rank(int left, int right) {
    long pair = pair(left, right);
    for (int slot = slot(pair); pairs[slot] != EMPTY; slot = slot + 1 & pairs.length - 1) {
      if (pairs[slot] == pair) {
        return ranks[slot];
      }
    }
    return -1;
  }

  /** The token that the merge of this rank makes. */
  int merged(int rank) {
    return merged[rank];
  }

  /** A pair that is listed twice keeps its later rank, as in the Hugging Face library. */
  private void put(long pair, int rank) {
    int slot = slot(pair);
    while (pairs[slot] != EMPTY && pairs[slot] != pair) {
      slot = slot + 1 & pairs.length - 1;
    }
    pairs[slot] = pair;
    ranks[slot] = rank;
  }

  private int slot(long pair) {
    return (int) (Mixing.mix(0, pair) & pairs.length - 1);
  }

  private static long pair(int left, int right) {
    return (long) left << 32 | right;
  }
}
