// Matrix products of operands rounded to bf16 by NVIDIA's tensor cores of compute capability 9.0: see
// matmul_packed.cl. Warp groups multiply, by wgmma, 64 rows of a tile each and all of its columns,
// straight from local memory; the tensor cores work on one step while a warp group goes to the next.
//
// Tunables: ROWS, a multiple of 64; COLUMNS, 64, 128 or 256; STEP, 32 or 64; STAGES; OPEN, steps whose
// products may still run when the next one's are started, 0 or 1, each at the price of a stage that
// cannot be filled meanwhile; BAND as in matmul_tensor.cl.

#ifndef ROWS
#define ROWS 128
#endif
#ifndef COLUMNS
#define COLUMNS 128
#endif
#ifndef STEP
#define STEP 64
#endif
#ifndef STAGES
#define STAGES 3
#endif
#ifndef OPEN
#define OPEN 0
#endif
#ifndef WARP_ROWS
#define WARP_ROWS 16
#endif
#ifndef WARP_COLUMNS
#define WARP_COLUMNS COLUMNS
#endif

#define MATMUL matmul_wgmma
#define WARPS_ACROSS 1
#define ITEMS (32 * (ROWS / WARP_ROWS))
#define AHEAD (STAGES - 1 - OPEN)
#if AHEAD < 1
#error "STAGES has to be at least 2 + OPEN"
#endif

#include "nvidia.cl"
#include "matmul_operands.cl"
#include "hopper.cl"

INLINE void multiply_stage(const local ushort *stage, int number,
                           float c[WARP_ROWS / 16][WARP_COLUMNS / 8][4], warp_t *warp) {
  const local ushort *a = stage + number / 4 * GROUP_ROWS * STEP, *b = stage + ROWS * STEP;
  float *sums = c[0][0];
  begin_products(sums, warp);
  UNROLL for (int k = 0; k < STEP; k += 16) start_product(sums, a, b, k, warp);
  commit_products(warp);
  wait_for_products(OPEN, sums, warp);
}

INLINE void finish_products(float c[WARP_ROWS / 16][WARP_COLUMNS / 8][4], warp_t *warp) {
  wait_for_products(0, c[0][0], warp);
}

#include "matmul_packed.cl"
