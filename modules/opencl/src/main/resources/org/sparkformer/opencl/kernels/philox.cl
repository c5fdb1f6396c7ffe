// Philox4x32-10 (Salmon et al., SC 2011) for BLOCKS counter blocks side by side, which give
// 4 BLOCKS words in the order of their numbers: word = 4 block + lane.
//
// Counter: low and high half of the block's number, site, step. Key: low and high half of the seed.
// The 32-bit words of the counter sit in 64-bit lanes, whose upper halves are ignored: one product
// then gives both halves that a round needs.

#if WIDTH == 16
#define BLOCKS 8
#define WORD_VECTORS 2 // vectors that hold the words
typedef ulong8 counterv;
typedef uint16 wordv;
typedef float16 realv;
#define BLOCK_NUMBERS (ulong8)(0, 1, 2, 3, 4, 5, 6, 7)
#else
#define BLOCKS 1
#define WORD_VECTORS 1
typedef ulong counterv;
typedef uint4 wordv;
typedef float4 realv;
#define BLOCK_NUMBERS 0ul
#endif

#define WORDS (4 * BLOCKS)
#define LOW 0xFFFFFFFFul

static inline void philox(ulong first, uint2 key, uint site, uint step, wordv *words) {
  counterv block = first + BLOCK_NUMBERS;
  counterv c0 = block;
  counterv c1 = block >> 32;
  counterv c2 = site;
  counterv c3 = step;
  for (int round = 0; round < 10; round++) {
    counterv product0 = (c0 & LOW) * 0xD2511F53ul;
    counterv product1 = (c2 & LOW) * 0xCD9E8D57ul;
    c0 = (product1 >> 32) ^ c1 ^ (ulong)key.s0;
    c2 = (product0 >> 32) ^ c3 ^ (ulong)key.s1;
    c1 = product1;
    c3 = product0;
    key += (uint2)(0x9E3779B9u, 0xBB67AE85u);
  }
  counterv even = (c0 & LOW) | (c1 << 32);
  counterv odd = (c2 & LOW) | (c3 << 32);
#if BLOCKS == 8
  words[0] = as_uint16(shuffle2(even, odd, (ulong8)(0, 8, 1, 9, 2, 10, 3, 11)));
  words[1] = as_uint16(shuffle2(even, odd, (ulong8)(4, 12, 5, 13, 6, 14, 7, 15)));
#else
  words[0] = as_uint4((ulong2)(even, odd));
#endif
}
