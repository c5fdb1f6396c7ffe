package org.sparkformer.data;

/**
 * A keyed permutation of {@code 0 .. size - 1} in constant memory: a balanced Feistel network on
 * the smallest even number of bits that holds the size, walked along its cycle until the value
 * falls inside (Black and Rogaway 2002, "Ciphers with arbitrary finite domains", section 4).
 */
final class Permutation {
  private static final int ROUNDS = 6;

  private final long size;
  private final long key;
  private final int halfBits;

  Permutation(long size, long key) {
    if (size < 1) {
      throw new IllegalArgumentException("a permutation needs at least one element, not " + size);
    }
    this.size = size;
    this.key = key;
    int bits = Math.max(2, 64 - Long.numberOfLeadingZeros(size - 1));
    this.halfBits = (bits + 1) / 2;
  }

  /**
   * Where {@code index} goes. The walk takes less than 4 passes on average, as the domain is under
   * 4 times the size.
   */
  long apply(long index) {
    long value = index;
    do {
      value = feistel(value);
    } while (value >= size);
    return value;
  }

  private long feistel(long value) {
    long mask = (1L << halfBits) - 1;
    long left = value >>> halfBits;
    long right = value & mask;
    for (int round = 0; round < ROUNDS; round++) {
      long next = left ^ (Mixing.mix(key + round, right) & mask);
      left = right;
      right = next;
    }
    return left << halfBits | right;
  }
}
