// Matrix product C = op(A) op(B) (+ C) (+ bias), activated = GELU(C), for processors with vector
// units and caches. Row-major, fp32; with A_BF16, B_BF16, C_BF16 and ACTIVATED_BF16 A, B, C and
// activated are bf16. Operands rounded to bf16 on demand.
//
// Shapes: op(A) [M, K], op(B) [K, N], C and activated [M, N], bias [N]. A is stored as [K, M] with
// TRANSPOSE_A, B as [N, K] with TRANSPOSE_B. Overwrites C, adds to it with ACCUMULATE. One
// work-group of one work-item a block of block_rows x block_columns elements of C; axis 2 is the
// batch. Where C is bf16, fp32 memory of its size keeps the sums.
//
// Algorithm: Goto and van de Geijn, Anatomy of high-performance matrix multiplication, TOMS 2008. A
// block copies the part of A that it needs for KC steps of the inner product into local memory, then
// that of B strip by strip of its columns, in the order in which tiles of MR x NR elements, held in
// registers, read them. An operand that many blocks would copy comes ready in that order (READY_A,
// READY_B), from pack_a and pack_b: for each KC steps the panels of all its rows or columns.
// Every element is one chain of fused multiply-adds over rising k, from 0 or from C, so its bits do
// not depend on the sizes of tiles and blocks.
//
// Tunables: VW vector width; MR rows and NV vectors of a tile: MR NV sums, NV vectors of B and one
// element of A have to fit the registers; KC depth: a panel of A (MR KC) should stay in the first
// cache beside the panel of B (KC NR) that passes, a block of A and a strip of B in the second. Blocks
// and strips, of whole panels, are chosen by the host.

#include "vector.cl"

// Whether operands are rounded to bf16; and whether products are of pairs of them, for processors
// that have such an instruction, or of fp32 with their values. TILES, beside PAIRS: by AMX, for VW 16,
// MR 32, NV 2 and KC of whole tiles (matmul_tiles.cl).
#ifndef ROUNDS
#define ROUNDS 0
#endif
#ifndef PAIRS
#define PAIRS 0
#endif
#ifndef TILES
#define TILES 0
#endif
// Tiles of what matmul_split.cl makes of fp32.
#ifndef SPLIT
#define SPLIT 0
#endif

#ifndef A_BF16
#define A_BF16 0
#endif
#ifndef B_BF16
#define B_BF16 0
#endif

#include "product.cl"
#include "bfloat16.cl"
#if TILES
#include "amx.cl"
#endif

#ifndef MR
#define MR 12
#endif
#ifndef NV
#define NV 2
#endif
#ifndef KC
#define KC 384
#endif
#ifndef TRANSPOSE_A
#define TRANSPOSE_A 0
#endif
#ifndef TRANSPOSE_B
#define TRANSPOSE_B 0
#endif

#define NR (NV * VW)
#define EACH_ROW UNROLL for (int i = 0; i < MR; i++)
#define EACH_VECTOR UNROLL for (int v = 0; v < NV; v++)

// Panels of READY operands lie in global memory, the others in local.
#ifndef READY_A
#define READY_A 0
#endif
#ifndef READY_B
#define READY_B 0
#endif
#if READY_A
#define A_SPACE global
#else
#define A_SPACE local
#endif
#if READY_B
#define B_SPACE global
#else
#define B_SPACE local
#endif

#if SPLIT
#include "panels_split.cl"
#else
#include "panels.cl"
#endif

#define REAL floatV
#define EXPONENTIAL exponential
#include "gelu.cl"

#if TILES
#include "matmul_amx.cl"
#else
#include "matmul_vectors.cl"
#endif

#if READY_A
// Panels of A for all steps of the inner product; a group takes some tiles of rows and KC steps.
kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void pack_a(const global ELEMENT(A_BF16) *A, long A_first, global word *panels,
            long panels_first, int M, int K, int group_rows) {
  int row = get_group_id(0) * group_rows, k = get_group_id(1) * KC;
  int rows = min(group_rows, M - row), depth = min(KC, K - k);
  ulong stride = TRANSPOSE_A ? M : K, tiles = (M + MR - 1) / MR;
  A += A_first + (TRANSPOSE_A ? k * stride + row : row * stride + k);
  panels += panels_first + get_group_id(1) * tiles * PANEL_A(KC) + row / MR * PANEL_A(depth);
  copy_a(A, stride, rows, depth, panels);
}
#endif

#if READY_B
kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void pack_b(const global ELEMENT(B_BF16) *B, long B_first, global word *panels,
            long panels_first, int N, int K, int group_columns) {
  int column = get_group_id(0) * group_columns, k = get_group_id(1) * KC;
  int columns = min(group_columns, N - column), depth = min(KC, K - k);
  ulong stride = TRANSPOSE_B ? K : N, tiles = (N + NR - 1) / NR;
  B += B_first + (TRANSPOSE_B ? column * stride + k : k * stride + column);
  panels += panels_first + get_group_id(1) * tiles * NR * WORDS(KC) + column * WORDS(depth);
  copy_b(B, stride, columns, depth, panels);
}
#endif

kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void matmul(const global ELEMENT(A_BF16) *A, long A_first, const global ELEMENT(B_BF16) *B,
            long B_first, global ELEMENT(C_BF16) *C, long C_first, const global float *bias,
            long bias_first, global ELEMENT(ACTIVATED_BF16) *activated, long activated_first,
            int A_batch, int B_batch, int M, int N, int K, global float *sums, long sums_first,
            int block_rows, int block_columns, int strip_columns, const global word *ready_a,
            long ready_a_first, const global word *ready_b, long ready_b_first,
            local word *copied_a, local word *copied_b) {
  ulong batch = get_group_id(2);
  int row = get_group_id(1) * block_rows, column = get_group_id(0) * block_columns;
  int rows = min(block_rows, M - row), columns = min(block_columns, N - column);
  ulong stride_a = TRANSPOSE_A ? M : K, stride_b = TRANSPOSE_B ? K : N;
  A += A_first + batch * A_batch + (TRANSPOSE_A ? row : row * stride_a);
  B += B_first + batch * B_batch;
  ulong corner = (batch * M + row) * N + column;
  C += C_first + corner;
  activated += activated_first + corner;
#if C_BF16
  sums += sums_first + corner;
#else
  sums = C;
#endif
  bias += bias_first + column;
#if TILES
  TILES_BEGIN();
#endif
  for (int k = 0; k < K; k += KC) {
    int depth = min(KC, K - k);
#if READY_A
    ulong chunk_a = k / KC * ((M + MR - 1) / MR) * PANEL_A(KC);
    const global word *panels_a = ready_a + ready_a_first + chunk_a + row / MR * PANEL_A(depth);
#else
    local word *panels_a = copied_a;
    copy_a(A + (TRANSPOSE_A ? k * stride_a : k), stride_a, rows, depth, panels_a);
#endif
    for (int strip = 0; strip < columns; strip += strip_columns) {
      int width = min(strip_columns, columns - strip), first = column + strip;
#if READY_B
      ulong chunk_b = k / KC * ((N + NR - 1) / NR) * NR * WORDS(KC);
      const global word *panels_b = ready_b + ready_b_first + chunk_b + first * WORDS(depth);
#else
      local word *panels_b = copied_b;
      copy_b(B + (TRANSPOSE_B ? first * stride_b + k : k * stride_b + first), stride_b, width,
             depth, panels_b);
#endif
      for (int j = 0; j < width; j += NR)
        for (int i = 0; i < rows; i += MR) {
          ulong at = (ulong)i * N + strip + j;
          product_tile(panels_a + i / MR * PANEL_A(depth), panels_b + j * WORDS(depth),
                       WORDS(depth), sums + at, N, rows - i, width - j, ACCUMULATE ? 0 : k == 0,
                       k + depth == K, bias + strip + j, activated + at, C + at);
        }
    }
  }
#if TILES
  TILES_END();
#endif
}
