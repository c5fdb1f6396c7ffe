// What the kernels of attention_tensor.cl share: rows copied into local memory ahead, and the way back
// from a warp's registers.

// Starts copying rows; those beyond the last repeat it, as their weight is 0.
INLINE void copy_rows(const global ushort *source, int stride, int first, int count, int size,
                      local ushort *rows, warp_t *warp) {
  for (int at = get_local_id(0); at < count * CHUNKS; at += ITEMS) {
    int row = at / CHUNKS, chunk = at % CHUNKS;
    copy_async((local uint4 *)(rows + place_of(row, chunk, CHUNKS)),
               (const global uint4 *)(source + (ulong)min(first + row, size - 1) * stride) + chunk,
               warp);
  }
}

INLINE void clear(float sums[SUM_TILES][4]) {
  UNROLL for (int d = 0; d < SUM_TILES; d++)
    UNROLL for (int e = 0; e < 4; e++) sums[d][e] = 0.0f;
}

// The first count of the group's rows, times the factors of this lane's two.
INLINE void store_rows(float sums[SUM_TILES][4], const float *factor,
                       global ELEMENT(RESULT_BF16) *target, ulong stride, int count) {
  int lane = get_local_id(0) % WARP, row = get_local_id(0) / WARP * 16 + lane / 4;
  bool pairs = RESULT_BF16 && D % 2 == 0 && (ulong)target % 4 == 0 && stride % 2 == 0;
  UNROLL for (int j = 0; j < SUM_TILES; j++)
    UNROLL for (int r = 0; r < 2; r++) {
      int d = 8 * j + 2 * (lane % 4);
      float low = sums[j][2 * r] * factor[r], high = sums[j][2 * r + 1] * factor[r];
      global ELEMENT(RESULT_BF16) *at = target + (row + 8 * r) * stride + d;
      if (row + 8 * r >= count) continue;
      if (pairs) {
        if (d < D) *(global uint *)at = bfloat16_pair(low, high);
      } else {
        if (d < D) at[0] = ELEMENT_OF(RESULT_BF16, low);
        if (d + 1 < D) at[1] = ELEMENT_OF(RESULT_BF16, high);
      }
    }
}

#define EACH_SCORE                                  \
  UNROLL for (int j = 0; j < SCORE_TILES; j++)      \
    UNROLL for (int e = 0; e < 4; e++)

INLINE void copy_block(const global ushort *x, int x_stride, const global ushort *y, int y_stride,
                       int first, int size, local ushort *block, warp_t *warp) {
  copy_rows(x, x_stride, first, BLOCK, size, block, warp);
  copy_rows(y, y_stride, first, BLOCK, size, block + BLOCK * DEPTH, warp);
  commit_copies(warp);
}

// The block of rows of x and y at `at`, once it is there, and starts copying the one behind it.
INLINE const local ushort *take_block(const global ushort *x, int x_stride,
                                      const global ushort *y, int y_stride, int size, int begin,
                                      int at, int end, local ushort *blocks, warp_t *warp) {
  int turn = (at - begin) / BLOCK % STAGES;
  local ushort *block = blocks + turn * 2 * BLOCK * DEPTH;
  if (STAGES == 1 || at == begin) {
    // All warps are done with the block before.
    barrier(CLK_LOCAL_MEM_FENCE);
    copy_block(x, x_stride, y, y_stride, at, size, block, warp);
  }
  WAIT_FOR_COPIES(0, warp);
  publish_copies(warp);
  barrier(CLK_LOCAL_MEM_FENCE);
  if (STAGES == 2 && at + BLOCK < end)
    copy_block(x, x_stride, y, y_stride, at + BLOCK, size,
               blocks + (turn ^ 1) * 2 * BLOCK * DEPTH, warp);
  return block;
}

#if PASS == 0
#include "attention_tensor_forward.cl"
#else
#include "attention_tensor_backward.cl"
#endif
