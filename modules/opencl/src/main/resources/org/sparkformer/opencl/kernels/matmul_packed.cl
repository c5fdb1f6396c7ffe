// Matrix product C = op(A) op(B) (+ C) (+ bias), activated = GELU(C), of operands rounded to bf16,
// with fp32 sums, by matrix instructions. C, bias, activated and the macros as in matmul.cl. The file
// that includes this one says by which instructions: see below.
//
// Two steps. `pack` rounds an operand into scratch memory, [size, depth] with the inner product
// along the rows, whatever its transpose and alignment; the depth is filled up with zeros. Then
// `MATMUL` multiplies packed operands: copies of 16 bytes need no registers, transposes and edges
// cost nothing in its loop, and its tiles move half the bytes that fp32 would, which is what limits
// it. Packing reads and writes 6 bytes an element, 4 where it is bf16 already (SOURCE_BF16);
// products of depth K pay 6 / K of it.
//
// A work-group computes a tile of ROWS x COLUMNS elements of C, each of its warps WARP_ROWS x
// WARP_COLUMNS of them in registers. STEP of the inner product at a time pass through one of STAGES
// buffers in local memory, AHEAD of them on their way (as CUTLASS's multistage pipeline: Thakkar et
// al., CUTLASS 2.x, mma_multistage). In a buffer a row's chunks of 8 elements are swapped about, by
// place_of in nvidia.cl.
//
// Every element is one chain over rising k, 16 at a time from 0 or from C, in which the order within
// 16 is the instruction's own: no tunable changes a bit on one kind of device.
//
// The file that includes this one defines MATMUL, the kernel's name, the tunables and
//   AHEAD               steps that are copied before they are needed;
//   publish_copies      after a wait for copies, before the barrier;
//   multiply_stage      adds the products of a buffer to the warp's tile, 16 x 8 elements of it in
//                       each of c's innermost;
//   finish_products     after which c holds the sums.

#ifndef BAND
#define BAND 8
#endif
#ifndef SOURCE_BF16
#define SOURCE_BF16 0
#endif

#include "product.cl"
#include "elements.cl"
#include "gelu.cl"

#define PACK_EDGE 32
#define PACK_DEPTH 64

// packed [size, padded depth], one matrix of it a batch. Element (i, k) lies at i + k stride where
// ALONG_K is 0, at i stride + k where it is 1.
kernel __attribute__((reqd_work_group_size(256, 1, 1)))
void pack(const global ELEMENT(SOURCE_BF16) *source, long source_first, global uint *packed,
          long packed_first, int source_batch, int along_k, int size, int depth) {
  local float tile[PACK_EDGE][PACK_DEPTH + 1];
  ulong batch = get_group_id(2);
  int words = get_num_groups(0) * PACK_DEPTH / 2;
  int i0 = get_group_id(1) * PACK_EDGE, k0 = get_group_id(0) * PACK_DEPTH;
  source += source_first + batch * source_batch;
  for (int at = get_local_id(0); at < PACK_EDGE * PACK_DEPTH; at += 256) {
    int i = along_k ? at / PACK_DEPTH : at % PACK_EDGE;
    int k = along_k ? at % PACK_DEPTH : at / PACK_EDGE;
    ulong from = along_k ? (ulong)(i0 + i) * depth + k0 + k : (ulong)(k0 + k) * size + i0 + i;
    tile[i][k] = i0 + i < size && k0 + k < depth ? VALUE(SOURCE_BF16, source[from]) : 0.0f;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  packed += packed_first + batch * size * words;
  for (int at = get_local_id(0); at < PACK_EDGE * PACK_DEPTH / 2; at += 256) {
    int i = at / (PACK_DEPTH / 2), k = at % (PACK_DEPTH / 2);
    if (i0 + i < size)
      packed[(ulong)(i0 + i) * words + k0 / 2 + k] =
          bfloat16_pair(tile[i][2 * k], tile[i][2 * k + 1]);
  }
}

// Starts copying STEP elements of rows; rows beyond the last repeat it, as nobody reads their
// products.
INLINE void copy_rows(const global ushort *source, ulong stride, int count, int size,
                      local ushort *rows, warp_t *warp) {
  UNROLL for (int n = 0; n < (count * CHUNKS + ITEMS - 1) / ITEMS; n++) {
    int at = get_local_id(0) + n * ITEMS;
    int row = at / CHUNKS, chunk = at % CHUNKS;
    if (count * CHUNKS % ITEMS == 0 || row < count)
      copy_async((local uint4 *)(rows + place_of(row, chunk, CHUNKS)),
                 (const global uint4 *)(source + min(row, size - 1) * stride + chunk * 8),
                 warp);
  }
}

#define EACH_ELEMENT                                              \
  UNROLL for (int i = 0; i < WARP_ROWS / 16; i++)                 \
    UNROLL for (int j = 0; j < WARP_COLUMNS / 8; j++)             \
      UNROLL for (int e = 0; e < 4; e++)

// A and B packed, with depth elements a row; A_batch and B_batch elements from one matrix to the
// next. Work-groups: the tiles of C on axis 0, the batch on axis 2.
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1)))
void MATMUL(const global ushort *A, long A_first, const global ushort *B, long B_first,
            global ELEMENT(C_BF16) *C, long C_first, const global float *bias,
            long bias_first, global ELEMENT(ACTIVATED_BF16) *activated,
            long activated_first, long A_batch, long B_batch, int M, int N, int depth) {
  local ushort stages[STAGES * (ROWS + COLUMNS) * STEP] __attribute__((aligned(1024)));
  WARP_STATE(warp);
  ulong batch = get_group_id(2);
  int tiles_down = (M + ROWS - 1) / ROWS, tiles_across = (N + COLUMNS - 1) / COLUMNS;
  int tile = get_group_id(0), first = tile / (BAND * tiles_across) * BAND;
  int height = min(BAND, tiles_down - first), place = tile - first * tiles_across;
  int row = (first + place % height) * ROWS, column = place / height * COLUMNS;
  A += A_first + batch * A_batch + (ulong)row * depth;
  B += B_first + batch * B_batch + (ulong)column * depth;

  int number = get_local_id(0) / WARP, lane = get_local_id(0) % WARP;
  int warp_row = number / WARPS_ACROSS * WARP_ROWS;
  int warp_column = number % WARPS_ACROSS * WARP_COLUMNS;
  // The first element that this lane holds, and how many there are from it on.
  int r0 = row + warp_row + lane / 4, s0 = column + warp_column + 2 * (lane % 4);
  int rows = M - r0, columns = N - s0;
  ulong corner = (batch * M + r0) * N + s0;
  C += C_first + corner;
  activated += activated_first + corner;
  bias += bias_first + s0;

  float c[WARP_ROWS / 16][WARP_COLUMNS / 8][4];
  EACH_ELEMENT {
    int r = 16 * i + e / 2 * 8, s = 8 * j + e % 2;
    c[i][j][e] = ACCUMULATE && r < rows && s < columns ? VALUE(C_BF16, C[(ulong)r * N + s]) : 0.0f;
  }
  int steps = depth / STEP;
  UNROLL for (int n = 0; n < AHEAD; n++) {
    local ushort *buffer = stages + n * (ROWS + COLUMNS) * STEP;
    if (n < steps) {
      copy_rows(A + n * STEP, depth, ROWS, M - row, buffer, warp);
      copy_rows(B + n * STEP, depth, COLUMNS, N - column, buffer + ROWS * STEP, warp);
    }
    commit_copies(warp);
  }
  for (int n = 0; n < steps; n++) {
    WAIT_FOR_COPIES(AHEAD - 1, warp);
    publish_copies(warp);
    // Also: all warps are done with the buffer that is filled next.
    barrier(CLK_LOCAL_MEM_FENCE);
    int next = n + AHEAD;
    if (next < steps) {
      local ushort *buffer = stages + next % STAGES * (ROWS + COLUMNS) * STEP;
      copy_rows(A + next * STEP, depth, ROWS, M - row, buffer, warp);
      copy_rows(B + next * STEP, depth, COLUMNS, N - column, buffer + ROWS * STEP, warp);
    }
    commit_copies(warp);
    const local ushort *now = stages + n % STAGES * (ROWS + COLUMNS) * STEP;
    multiply_stage(now, number, c, warp);
  }
  finish_products(c, warp);
  EACH_ELEMENT {
    int r = 16 * i + e / 2 * 8, s = 8 * j + e % 2;
    if (r < rows && s < columns) {
      float sum = BIAS ? c[i][j][e] + bias[s] : c[i][j][e];
      C[(ulong)r * N + s] = ELEMENT_OF(C_BF16, sum);
      if (GELU) activated[(ulong)r * N + s] = ELEMENT_OF(ACTIVATED_BF16, gelu(sum));
    }
  }
}
