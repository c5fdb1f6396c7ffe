// Scaled dot-product attention, forward and backward, by NVIDIA's tensor cores: operands of its
// matrix products rounded to bf16, sums and softmax in fp32. Masks, results and dropout as in
// attention.cl, row sums by the kernel of attention_gpu.cl.
//
// Algorithm: FlashAttention-2 (Dao, arXiv:2307.08691, algorithms 1 and 2), backward as one kernel
// that owns queries and one that owns keys: no atomics, one fixed order of summation. Queries,
// keys and values are read as they lie where they are bf16, their heads DEPTH wide and their rows
// whole chunks of 8. Others, and dy, which is fp32, are first rounded by `pack_heads` into scratch
// memory, [B, heads, T, DEPTH] with zeros from D on, since every tile reads them again. They come as
// fp32, or with SOURCE_BF16 as bf16; y is bf16 with Y_BF16, the gradients with GRADIENT_BF16.
//
// A work-group owns OWN queries (or keys), each of its warps 16 of them, and goes over the others
// in blocks of BLOCK, the next of which is copied into local memory while one is multiplied (with
// STAGES 2). A warp's scores stay in its registers, in which the layout of a product's result is
// that of the next one's left operand: lane l holds rows l / 4 and l / 4 + 8, of each 8 columns two.
//
// DEPTH is D filled up to a power of two, 16 at least, 128 at most. Tunables: BLOCK, 32 or 64, which
// changes last bits, and STAGES, 1 or 2, which does not; both at most, for local memory has to
// suffice.
//
// The kernels stand in attention_tensor_forward.cl and attention_tensor_backward.cl, what they share
// in attention_tensor_operands.cl and attention_tensor_tiles.cl. attention_wgmma.cl has them too, and
// multiplies by other instructions.

#include "attention_tensor_operands.cl"

#define ALIGNED __attribute__((aligned(16)))

// s = the warp's 16 own rows times the block's.
INLINE void start_scores(const local ushort *own, const local ushort *block, float s[SCORE_TILES][4],
                     warp_t *warp) {
  int row = get_local_id(0) / WARP * 16;
  UNROLL for (int j = 0; j < SCORE_TILES; j++)
    UNROLL for (int e = 0; e < 4; e++) s[j][e] = 0.0f;
  UNROLL for (int d = 0; d < CHUNKS; d += 2) {
    uint4 x = load_matrices(own + place_of_a(row, d, CHUNKS), warp);
    UNROLL for (int j = 0; j < SCORE_TILES; j += 2) {
      uint4 y = load_matrices(block + place_of_b(8 * j, d, CHUNKS), warp);
      multiply_add(s[j], x, y.lo, warp);
      multiply_add(s[j + 1], x, y.hi, warp);
    }
  }
}

// sums += weights [16, BLOCK] times the block.
INLINE void start_sums(float weights[SCORE_TILES][4], const local ushort *block,
                       float sums[SUM_TILES][4], warp_t *warp) {
  UNROLL for (int j = 0; j < SCORE_TILES; j += 2) {
    uint4 x = (uint4)(bfloat16_pair(weights[j][0], weights[j][1]),
                      bfloat16_pair(weights[j][2], weights[j][3]),
                      bfloat16_pair(weights[j + 1][0], weights[j + 1][1]),
                      bfloat16_pair(weights[j + 1][2], weights[j + 1][3]));
    UNROLL for (int d = 0; d < SUM_TILES; d += 2) {
      uint4 y = load_transposed(block + place_of_b_across(8 * j, d, CHUNKS), warp);
      multiply_add(sums[d], x, y.lo, warp);
      multiply_add(sums[d + 1], x, y.hi, warp);
    }
  }
}

INLINE void publish_copies(warp_t *warp) {}
INLINE void wait_for_scores(int open, float s[SCORE_TILES][4], warp_t *warp) {}
INLINE void wait_for_sums(float sums[SUM_TILES][4], warp_t *warp) {}

#include "attention_tensor_tiles.cl"
