// Philox4x32-10 (Salmon et al., SC 2011) for BLOCKS counter blocks side by side, which give
// 4 BLOCKS words in the order of their numbers: word = 4 block + lane. Needs common.cl.
//
// Counter: low and high half of the block's number, site, step. Key: low and high half of the seed.
// The 32-bit words of the counter sit in 64-bit lanes, whose upper halves are ignored: one product
// then gives both halves that a round needs. A round waits for seven cycles, in which one vector
// keeps a processor busy for one and a half: so SETS vectors of blocks go through it together, as
// many as have room in the registers, four each: 32 of AVX-512, 16 of what has narrower vectors.

#if ITEMS == 1 && WIDTH >= 4
// So numbered, pairs of words find their places within 128 bits.
#if WIDTH == 16
#define SETS 6
#define LANES 8
#define BLOCK_NUMBERS (ulong8)(0, 4, 1, 5, 2, 6, 3, 7)
#elif WIDTH == 8
#define SETS 3
#define LANES 4
#define BLOCK_NUMBERS (ulong4)(0, 2, 1, 3)
#else
#define SETS 3
#define LANES 2
#define BLOCK_NUMBERS (ulong2)(0, 1)
#endif
#define WORD_VECTORS (2 * SETS) // vectors that hold the words
typedef JOIN(ulong, LANES) counterv;
typedef uintv wordv;
typedef floatv realv;
#else
#define SETS 1
#define LANES 1
#define WORD_VECTORS 1
typedef ulong counterv;
typedef uint4 wordv;
typedef float4 realv;
#define BLOCK_NUMBERS 0ul
#endif

#define BLOCKS (SETS * LANES)
#define WORDS (4 * BLOCKS)
#define LOW 0xFFFFFFFFul
#define EACH_SET _Pragma("unroll") for (int s = 0; s < SETS; s++)

/** The low halves of the counters, by blocks. Swizzles, as PoCL 3.1 takes shuffle2() apart. */
static inline void storeWords(counterv c0, counterv c1, counterv c2, counterv c3, wordv *words) {
#if LANES > 1
#define AS_COUNTERS JOIN(as_ulong, LANES)
  wordv first = AS_UINT(c0);
  wordv second = AS_UINT(c2);
  first.odd = AS_UINT(c1).even;
  second.odd = AS_UINT(c3).even;
  counterv low;
  counterv high;
  low.even = AS_COUNTERS(first).even;
  low.odd = AS_COUNTERS(second).even;
  high.even = AS_COUNTERS(first).odd;
  high.odd = AS_COUNTERS(second).odd;
  words[0] = AS_UINT(low);
  words[1] = AS_UINT(high);
#else
  words[0] = (uint4)((uint)c0, (uint)c1, (uint)c2, (uint)c3);
#endif
}

static inline void philox(ulong first, uint2 key, uint site, uint step, wordv *words) {
  counterv c0[SETS], c1[SETS], c2[SETS], c3[SETS];
  EACH_SET {
    c0[s] = first + s * LANES + BLOCK_NUMBERS;
    c1[s] = c0[s] >> 32;
    c2[s] = site;
    c3[s] = step;
  }
  _Pragma("unroll") for (int round = 0; round < 10; round++) {
    EACH_SET {
      counterv product0 = (c0[s] & LOW) * 0xD2511F53ul;
      counterv product1 = (c2[s] & LOW) * 0xCD9E8D57ul;
      c0[s] = (product1 >> 32) ^ c1[s] ^ (ulong)key.s0;
      c2[s] = (product0 >> 32) ^ c3[s] ^ (ulong)key.s1;
      c1[s] = product1;
      c3[s] = product0;
    }
    key += (uint2)(0x9E3779B9u, 0xBB67AE85u);
  }
  EACH_SET storeWords(c0[s], c1[s], c2[s], c3[s], words + s * (WORD_VECTORS / SETS));
}
