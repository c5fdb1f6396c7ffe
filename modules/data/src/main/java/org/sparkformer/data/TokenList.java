package org.sparkformer.data;

import java.util.Arrays;

/** A growing list of token ids. */
final class TokenList {
  private int[] tokens = new int[4];
  private int size;

  void add(int token) {
    reserve(1);
    tokens[size++] = token;
  }

  void addAll(int[] others) {
    reserve(others.length);
    System.arraycopy(others, 0, tokens, size, others.length);
    size += others.length;
  }

  /** The newest token, -1 if there is none. */
  int last() {
    return size == 0 ? -1 : tokens[size - 1];
  }

  int[] toArray() {
    return Arrays.copyOf(tokens, size);
  }

  private void reserve(int count) {
    if (size + count > tokens.length) {
      tokens = Arrays.copyOf(tokens, Math.max(Math.multiplyExact(2, size), size + count));
    }
  }
}
