// Matrix products of operands rounded to bf16 by NVIDIA's tensor cores: see matmul_packed.cl. Every
// warp multiplies by itself, by mma.sync, and takes its operands from local memory by ldmatrix, for
// which the swapped chunks of 8 rows lie in different banks.
//
// Tunables: ROWS, COLUMNS, multiples of 64; WARP_ROWS, WARP_COLUMNS, of 16, which divide them; STEP, 32
// or 64; STAGES, 2 or more; BAND, tiles that lie one above the other and are computed at the same time,
// so that they find their operands in the second-level cache.

#ifndef ROWS
#define ROWS 128
#endif
#ifndef COLUMNS
#define COLUMNS 128
#endif
#ifndef WARP_ROWS
#define WARP_ROWS 64
#endif
#ifndef WARP_COLUMNS
#define WARP_COLUMNS 64
#endif
#ifndef STEP
#define STEP 32
#endif
#ifndef STAGES
#define STAGES 3
#endif

#if ROWS % 64 || COLUMNS % 64
#error "ROWS and COLUMNS have to be multiples of 64"
#endif

#define MATMUL matmul_tensor
#define WARPS_ACROSS (COLUMNS / WARP_COLUMNS)
#define ITEMS (32 * (ROWS / WARP_ROWS) * WARPS_ACROSS)
#define AHEAD (STAGES - 1)

#include "nvidia.cl"
#include "matmul_operands.cl"

INLINE void publish_copies(warp_t *warp) {}

// 16 rows of a and 16 columns of b, with 16 elements of the inner product, as multiply_add takes them.
INLINE uint4 load_a(const local ushort *a, int row, int k, warp_t *warp) {
  int lane = get_local_id(0) % WARP;
  return A_ACROSS ? load_transposed(
                        a + place_across(row / 8 + lane / 8 % 2, k + lane % 8 + lane / 16 * 8, STEP),
                        warp)
                  : load_matrices(a + place_of_a(row, k / 8, CHUNKS), warp);
}

INLINE uint4 load_b(const local ushort *b, int column, int k, warp_t *warp) {
  int lane = get_local_id(0) % WARP;
  return B_ACROSS ? load_transposed(b + place_across(column / 8 + lane / 16, k + lane % 16, STEP), warp)
                  : load_matrices(b + place_of_b(column, k / 8, CHUNKS), warp);
}

INLINE void multiply_stage(const local ushort *stage, int number,
                           float c[WARP_ROWS / 16][WARP_COLUMNS / 8][4], warp_t *warp) {
  const local ushort *a = stage, *b = stage + ROWS * STEP;
  int row = number / WARPS_ACROSS * WARP_ROWS, column = number % WARPS_ACROSS * WARP_COLUMNS;
  UNROLL for (int k = 0; k < STEP; k += 16) {
    uint4 x[WARP_ROWS / 16], y[WARP_COLUMNS / 16];
    UNROLL for (int i = 0; i < WARP_ROWS / 16; i++) x[i] = load_a(a, row + 16 * i, k, warp);
    UNROLL for (int j = 0; j < WARP_COLUMNS / 16; j++) y[j] = load_b(b, column + 16 * j, k, warp);
    UNROLL for (int i = 0; i < WARP_ROWS / 16; i++)
      UNROLL for (int j = 0; j < WARP_COLUMNS / 16; j++) {
        multiply_add(c[i][2 * j], x[i], y[j].lo, warp);
        multiply_add(c[i][2 * j + 1], x[i], y[j].hi, warp);
      }
  }
}

INLINE void finish_products(float c[WARP_ROWS / 16][WARP_COLUMNS / 8][4], warp_t *warp) {}

#include "matmul_packed.cl"
