package org.sparkformer.data;

import java.util.Arrays;

/**
 * Hides tokens for a model to find (Devlin et al., arXiv:1810.04805, section 3.1 and appendix A.1):
 * of those hidden 80 % become {@code [MASK]}, 10 % a token drawn from the vocabulary, 10 % stay.
 * Which, and what they become, is a pure function of a key and the position.
 *
 * @param vocabulary tokens to draw from
 */
record Masking(MaskTokens special, int vocabulary) {
  /** Places that a packed rank leaves room for. */
  private static final int PLACES = 1 << 20;

  /** Apart from the counters of the choice, which are positions. */
  private static final long FATE = 1L << 32;

  private static final long REPLACEMENT = 1L << 33;

  /**
   * Hides as many tokens of a sequence as it has targets. Special tokens stay; where there are too
   * few others, the targets that are left over are to be ignored.
   *
   * @param sequence its tokens are given, its positions and targets set
   */
  void hide(long key, Sequence sequence) {
    int[] chosen = choose(key, sequence.tokens(), sequence.targets().length);
    Arrays.fill(sequence.positions(), 0);
    Arrays.fill(sequence.targets(), -1);
    for (int i = 0; i < chosen.length; i++) {
      int position = chosen[i];
      sequence.positions()[i] = position;
      sequence.targets()[i] = sequence.tokens()[position];
      sequence.tokens()[position] = replaced(key, position, sequence.tokens()[position]);
    }
  }

  /** The places with the smallest random numbers, ascending. */
  private int[] choose(long key, int[] tokens, int count) {
    long[] ranks = new long[tokens.length];
    int eligible = 0;
    for (int position = 0; position < tokens.length; position++) {
      if (!special.contains(tokens[position])) {
        ranks[eligible++] = (Mixing.mix(key, position) >>> 1) / PLACES * PLACES + position;
      }
    }
    Arrays.sort(ranks, 0, eligible);
    return Arrays.stream(ranks, 0, Math.min(count, eligible))
        .mapToInt(rank -> (int) (rank % PLACES))
        .sorted()
        .toArray();
  }

  private int replaced(long key, int position, int token) {
    long fate = Long.remainderUnsigned(Mixing.mix(key, FATE + position), 10);
    if (fate < 8) {
      return special.mask();
    }
    long other = Mixing.mix(key, REPLACEMENT + position);
    return fate == 8 ? (int) Long.remainderUnsigned(other, vocabulary) : token;
  }
}
