package org.sparkformer.tensor.ops;

import com.aparapi.Kernel;

/** Base of definitions that draw random words; see {@link Dropout} for the counter's layout. */
abstract class PhiloxKernel extends Kernel {

  /** The random word of element {@code e}, as an unsigned 32-bit number. */
  long word(long e, int seedLow, int seedHigh, int site, int step) {
    long block = e >> 2;
    int lane = (int) (e & 3L);
    long c0 = block & 4294967295L;
    long c1 = (block >> 32) & 4294967295L;
    long c2 = site & 4294967295L;
    long c3 = step & 4294967295L;
    long k0 = seedLow & 4294967295L;
    long k1 = seedHigh & 4294967295L;
    for (int round = 0; round < 10; round++) {
      long p0 = 3528531795L * c0;
      long p1 = 3449720151L * c2;
      long n0 = ((p1 >> 32) & 4294967295L) ^ c1 ^ k0;
      long n2 = ((p0 >> 32) & 4294967295L) ^ c3 ^ k1;
      c1 = p1 & 4294967295L;
      c3 = p0 & 4294967295L;
      c0 = n0;
      c2 = n2;
      k0 = (k0 + 2654435769L) & 4294967295L;
      k1 = (k1 + 3144134277L) & 4294967295L;
    }
    long word = c3;
    if (lane == 0) {
      word = c0;
    }
    if (lane == 1) {
      word = c1;
    }
    if (lane == 2) {
      word = c2;
    }
    return word;
  }
}
