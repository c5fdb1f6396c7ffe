// Philox4x32-10 (Salmon et al., SC 2011): LANES counter blocks side by side, giving 4 LANES words in
// the order of their element numbers, word = 4 block + lane.
//
// Counter: low and high half of the block's number, site, step. Key: low and high half of the seed.

#if WIDTH == 16
#define LANES 16
typedef uint16 wordv;
typedef float16 realv;
#define LANE_NUMBERS (uint16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
#define LOAD_LANES(p) vload16(0, p)
#define STORE_LANES(v, p) vstore16(v, 0, p)
#define STORE_WORDS(v, p) vstore16(v, 0, p)
#define KEEP(word, limit, value) select((float16)(0.0f), value, (word) >= (uint16)(limit))
#else
#define LANES 1
typedef uint wordv;
typedef float realv;
#define LANE_NUMBERS 0u
#define LOAD_LANES(p) (*(p))
#define STORE_LANES(v, p) (*(p) = (v))
#define STORE_WORDS(v, p) (*(p) = (v))
#define KEEP(word, limit, value) ((word) >= (limit) ? (value) : 0.0f)
#endif

/** Ten rounds on blocks `first` to `first + LANES - 1`; words[k] holds words k LANES onwards. */
inline void philox(ulong first, uint2 key, uint site, uint step, wordv *words) {
  wordv c0 = (wordv)((uint)first) + LANE_NUMBERS;
  wordv c1 = (wordv)((uint)(first >> 32));
#if LANES == 16
  c1 += select((uint16)(0), (uint16)(1), c0 < (uint16)((uint)first));
#endif
  wordv c2 = (wordv)(site);
  wordv c3 = (wordv)(step);
  for (int round = 0; round < 10; round++) {
    wordv low0 = 0xD2511F53u * c0;
    wordv low1 = 0xCD9E8D57u * c2;
    wordv high0 = mul_hi((wordv)(0xD2511F53u), c0);
    wordv high1 = mul_hi((wordv)(0xCD9E8D57u), c2);
    c0 = high1 ^ c1 ^ (wordv)(key.s0);
    c2 = high0 ^ c3 ^ (wordv)(key.s1);
    c1 = low1;
    c3 = low0;
    key += (uint2)(0x9E3779B9u, 0xBB67AE85u);
  }
#if LANES == 16
  // Word 4 b + k is ck of block b: interleave c0 with c2, c1 with c3, then the two.
  const uint16 lowHalf = (uint16)(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const uint16 highHalf = lowHalf + 8u;
  uint16 even = shuffle2(c0, c2, lowHalf);
  uint16 odd = shuffle2(c1, c3, lowHalf);
  words[0] = shuffle2(even, odd, lowHalf);
  words[1] = shuffle2(even, odd, highHalf);
  even = shuffle2(c0, c2, highHalf);
  odd = shuffle2(c1, c3, highHalf);
  words[2] = shuffle2(even, odd, lowHalf);
  words[3] = shuffle2(even, odd, highHalf);
#else
  words[0] = c0;
  words[1] = c1;
  words[2] = c2;
  words[3] = c3;
#endif
}
