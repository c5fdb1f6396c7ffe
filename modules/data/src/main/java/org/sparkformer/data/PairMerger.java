package org.sparkformer.data;

import java.util.Arrays;

/**
 * Applies merges to the symbols of one piece: always the pair of lowest rank, the leftmost among
 * equals. Symbols form a linked list and candidate pairs a binary heap, so a piece of n bytes takes
 * O(n log n). Not thread-safe.
 */
final class PairMerger {
  private final MergeTable merges;
  private final int[] symbols;
  private final int[] previous;
  private final int[] next;

  /** Candidate pairs as (rank, position of the left symbol), smallest first. */
  private long[] heap;

  private int heapSize;

  /** Takes the symbols and overwrites them. */
  PairMerger(MergeTable merges, int[] symbols) {
    this.merges = merges;
    this.symbols = symbols;
    this.previous = new int[symbols.length];
    this.next = new int[symbols.length];
    this.heap = new long[Math.max(4, symbols.length)];
  }

  int[] merge() {
    for (int i = 0; i < symbols.length; i++) {
      previous[i] = i - 1;
      next[i] = i + 1 < symbols.length ? i + 1 : -1;
    }
    for (int i = 0; i + 1 < symbols.length; i++) {
      offer(i);
    }
    while (heapSize > 0) {
      long candidate = poll();
      apply((int) (candidate >>> 32), (int) candidate);
    }
    return remaining();
  }

  /**
   * Merges unless the candidate is stale: its left symbol gone, or one of the two already part of a
   * longer symbol.
   */
  private void apply(int rank, int position) {
    int right = next[position];
    if (symbols[position] < 0 || right < 0) {
      return;
    }
    if (merges.rank(symbols[position], symbols[right]) != rank) {
      return;
    }
    symbols[position] = merges.merged(rank);
    symbols[right] = -1;
    next[position] = next[right];
    if (next[position] >= 0) {
      previous[next[position]] = position;
      offer(position);
    }
    if (previous[position] >= 0) {
      offer(previous[position]);
    }
  }

  private void offer(int position) {
    int rank = merges.rank(symbols[position], symbols[next[position]]);
    if (rank < 0) {
      return;
    }
    if (heapSize == heap.length) {
      heap = Arrays.copyOf(heap, 2 * heapSize);
    }
    long candidate = (long) rank << 32 | position;
    int child = heapSize++;
    while (child > 0 && heap[(child - 1) / 2] > candidate) {
      heap[child] = heap[(child - 1) / 2];
      child = (child - 1) / 2;
    }
    heap[child] = candidate;
  }

  private long poll() {
    long smallest = heap[0];
    long last = heap[--heapSize];
    int parent = 0;
    for (int child = 1; child < heapSize; child = 2 * parent + 1) {
      if (child + 1 < heapSize && heap[child + 1] < heap[child]) {
        child++;
      }
      if (heap[child] >= last) {
        break;
      }
      heap[parent] = heap[child];
      parent = child;
    }
    heap[parent] = last;
    return smallest;
  }

  private int[] remaining() {
    int[] tokens = new int[symbols.length];
    int count = 0;
    for (int symbol : symbols) {
      if (symbol >= 0) {
        tokens[count++] = symbol;
      }
    }
    return Arrays.copyOf(tokens, count);
  }
}
