// What the kernels of attention_tensor.cl share: rows copied into local memory ahead, both products by
// tensor cores, with their sums in a warp's registers, and the way back.

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

// s = the warp's 16 own rows times the block's.
INLINE void multiply(const local ushort *own, const local ushort *block, float s[SCORE_TILES][4],
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
INLINE void accumulate(float weights[SCORE_TILES][4], const local ushort *block,
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

INLINE void clear(float sums[SUM_TILES][4]) {
  UNROLL for (int d = 0; d < SUM_TILES; d++)
    UNROLL for (int e = 0; e < 4; e++) sums[d][e] = 0.0f;
}

// The first count of the group's rows, times the factors of this lane's two.
INLINE void store_rows(float sums[SUM_TILES][4], const float *factor,
                       global ELEMENT(RESULT_BF16) *target, ulong stride, int count) {
  int lane = get_local_id(0) % WARP, row = get_local_id(0) / WARP * 16 + lane / 4;
  UNROLL for (int j = 0; j < SUM_TILES; j++)
    UNROLL for (int e = 0; e < 4; e++) {
      int r = row + e / 2 * 8, d = 8 * j + 2 * (lane % 4) + e % 2;
      if (r < count && d < D)
        target[r * stride + d] = ELEMENT_OF(RESULT_BF16, sums[j][e] * factor[e / 2]);
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
  barrier(CLK_LOCAL_MEM_FENCE);
  if (STAGES == 2 && at + BLOCK < end)
    copy_block(x, x_stride, y, y_stride, at + BLOCK, size,
               blocks + (turn ^ 1) * 2 * BLOCK * DEPTH, warp);
  return block;
}
