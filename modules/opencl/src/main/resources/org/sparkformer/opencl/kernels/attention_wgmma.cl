// attention_tensor.cl by the matrix instructions of compute capability 9.0: a warp group's, which run
// beside what follows them. Rows of heads are as wide as the chunks that are swapped about are apart, 64
// elements, so that a block is an operand along its rows and across them as it lies.
//
// Tunables: OWN, 64 or 128, and STAGES, neither of which changes a bit.

#define MOST_HELD 8
#include "attention_tensor_operands.cl"

#define COLUMNS 64
#define STEP 64
#define A_ACROSS 0
#define B_ACROSS 0
#if DEPTH != STEP || BLOCK != COLUMNS
#error "DEPTH and BLOCK have to be 64"
#endif
#define ALIGNED __attribute__((aligned(1024)))

#include "hopper.cl"

// s = the warp group's 64 own rows times the block's.
INLINE void start_scores(const local ushort *own, const local ushort *block,
                         float s[SCORE_TILES][4], warp_t *warp) {
  own += get_local_id(0) / 128 * GROUP_ROWS * DEPTH;
  begin_products(s[0], warp);
  start_first_product(s[0], own, block, 0, warp);
  UNROLL for (int d = 16; d < DEPTH; d += 16) start_product(s[0], own, block, d, warp);
  commit_products(warp);
}

// sums += weights [64, BLOCK] times the block.
INLINE void start_sums(float weights[SCORE_TILES][4], const local ushort *block,
                       float sums[SUM_TILES][4], warp_t *warp) {
  uint4 x[SCORE_TILES / 2];
  UNROLL for (int j = 0; j < SCORE_TILES; j += 2)
    x[j / 2] = (uint4)(bfloat16_pair(weights[j][0], weights[j][1]),
                       bfloat16_pair(weights[j][2], weights[j][3]),
                       bfloat16_pair(weights[j + 1][0], weights[j + 1][1]),
                       bfloat16_pair(weights[j + 1][2], weights[j + 1][3]));
  UNROLL for (int n = 0; n < SCORE_TILES / 2; n++) hold(x[n]);
  begin_products(sums[0], warp);
  UNROLL for (int n = 0; n < SCORE_TILES / 2; n++)
    start_held_product(sums[0], x[n], block, 16 * n, warp);
  commit_products(warp);
}

// Waits for scores but those that were started last, where `open` is 1; and for everything.
INLINE void wait_for_scores(int open, float s[SCORE_TILES][4], warp_t *warp) {
  wait_for_products(open, s[0], warp);
}
INLINE void wait_for_sums(float sums[SUM_TILES][4], warp_t *warp) {
  wait_for_products(0, sums[0], warp);
}

#include "attention_tensor_tiles.cl"
