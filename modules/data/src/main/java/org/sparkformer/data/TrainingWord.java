package org.sparkformer.data;

/** A word as tokens, while merges are learnt. */
final class TrainingWord {
  private final int[] symbols;
  private final long count;
  private int length;

  /** Told how the number of a pair's occurrences changes. */
  interface PairChange {
    void accept(int left, int right, long change);
  }

  TrainingWord(int[] symbols, long count) {
    this.symbols = symbols;
    this.count = count;
    this.length = symbols.length;
  }

  void forEachPair(PairChange change) {
    for (int i = 0; i + 1 < length; i++) {
      change.accept(symbols[i], symbols[i + 1], count);
    }
  }

  /**
   * Replaces the pair from left to right, in place; counts neighbours as the Hugging Face library
   * does.
   */
  void merge(BpeModel.Merge pair, int replacement, PairChange change) {
    int written = 0;
    for (int read = 0; read < length; read++) {
      boolean found =
          symbols[read] == pair.left() && read + 1 < length && symbols[read + 1] == pair.right();
      if (!found) {
        symbols[written++] = symbols[read];
        continue;
      }
      if (written > 0) {
        change.accept(symbols[written - 1], pair.left(), -count);
        change.accept(symbols[written - 1], replacement, count);
      }
      if (read + 2 < length) {
        change.accept(pair.right(), symbols[read + 2], -count);
        change.accept(replacement, symbols[read + 2], count);
      }
      symbols[written++] = replacement;
      read++;
    }
    length = written;
  }
}
