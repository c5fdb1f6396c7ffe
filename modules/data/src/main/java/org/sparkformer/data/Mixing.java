package org.sparkformer.data;

/**
 * Stateless pseudo-random numbers: SplitMix64's finalizer (Steele, Lea and Flood 2014) over a key
 * and a counter.
 */
final class Mixing {
  private static final long GOLDEN_GAMMA = 0x9e3779b97f4a7c15L;

  private Mixing() {}

  static long mix(long key, long counter) {
    return finish(finish(key + GOLDEN_GAMMA) ^ (counter + GOLDEN_GAMMA) * GOLDEN_GAMMA);
  }

  private static long finish(long value) {
    long z = (value ^ (value >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }
}
