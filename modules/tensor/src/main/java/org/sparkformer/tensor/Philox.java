package org.sparkformer.tensor;

/**
 * Philox4x32-10 (Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, SC 2011): four random
 * words as a pure function of a 128-bit counter and a 64-bit key, on the host.
 */
public final class Philox {
  private static final int ROUNDS = 10;
  private static final long MULTIPLIER_0 = 0xD2511F53L;
  private static final long MULTIPLIER_1 = 0xCD9E8D57L;
  private static final int WEYL_0 = 0x9E3779B9;
  private static final int WEYL_1 = 0xBB67AE85;
  private static final long LOW = 0xFFFFFFFFL;

  private Philox() {}

  /**
   * Random words of one counter.
   *
   * @param counter low and high half are the first two counter words
   * @param c2 third counter word
   * @param c3 fourth counter word
   * @param key low and high half are the two key words
   * @param words receives the four words
   */
  public static void block(long counter, int c2, int c3, long key, int[] words) {
    int x0 = (int) counter;
    int x1 = (int) (counter >>> 32);
    int x2 = c2;
    int x3 = c3;
    int k0 = (int) key;
    int k1 = (int) (key >>> 32);
    for (int round = 0; round < ROUNDS; round++) {
      long p0 = MULTIPLIER_0 * (x0 & LOW);
      long p1 = MULTIPLIER_1 * (x2 & LOW);
      x0 = (int) (p1 >>> 32) ^ x1 ^ k0;
      x2 = (int) (p0 >>> 32) ^ x3 ^ k1;
      x1 = (int) p1;
      x3 = (int) p0;
      k0 += WEYL_0;
      k1 += WEYL_1;
    }
    words[0] = x0;
    words[1] = x1;
    words[2] = x2;
    words[3] = x3;
  }
}
