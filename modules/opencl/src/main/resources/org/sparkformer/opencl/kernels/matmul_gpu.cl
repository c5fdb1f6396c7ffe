// Matrix product C = op(A) op(B) (+ C) (+ bias), activated = GELU(C), for processors with many
// threads and fast local memory. fp32 and bf16, row-major, operands rounded to bf16 on demand;
// arguments and macros as in matmul.cl, but that sums stay in registers: C itself may be bf16.
//
// A work-group of 256 items computes a tile of C of EDGE = 16 WORK elements a side, each item
// WORK x WORK of them in registers (Volkov and Demmel, Benchmarking GPUs to tune dense linear
// algebra, SC 2008). STEPS of the inner product at a time pass through local memory, twice
// buffered: while one slice is multiplied, each item holds its share of the next in registers, on
// its way from global memory. Every element is one chain of fused multiply-adds over rising k, from
// 0 or from C, so no tunable changes a bit.
//
// An item owns groups of 4 x 4 elements, 64 apart, so that it reads vectors of 4; the 32 items of a
// warp cover 16 rows and 32 columns of such groups, so that they read 64 and 128 bytes that follow
// each other, without bank conflicts.
//
// Tunables: WORK, elements of an item along a side, 4 or 8; STEPS, a power of two from 8 to 32.

#ifndef WORK
#define WORK 4
#endif
#ifndef STEPS
#define STEPS 8
#endif
#ifndef TRANSPOSE_A
#define TRANSPOSE_A 0
#endif
#ifndef TRANSPOSE_B
#define TRANSPOSE_B 0
#endif
#ifndef ROUNDS
#define ROUNDS 0
#endif
#ifndef A_BF16
#define A_BF16 0
#endif
#ifndef B_BF16
#define B_BF16 0
#endif

#define UNROLL _Pragma("unroll")
// Arrays of an item that are passed to a function stay in registers only where it is inlined.
#define INLINE __attribute__((always_inline))

#include "product.cl"
#include "elements.cl"
#include "gelu.cl"

#define ITEMS 256
#define EDGE (16 * WORK)
// Of a slice, from one k to the next: a multiple of 4, for vectors, that is none of 32, for banks.
#define STRIDE (EDGE + 4)
#define SHARE (EDGE * STEPS / ITEMS)

// Place n of an item's share in a slice. Neighbouring items take neighbours in memory, which lie
// along k or along the edge.
INLINE int step_of(int n, int along_k) {
  int at = get_local_id(0) + n * ITEMS;
  return along_k ? at % STEPS : at / EDGE;
}

INLINE int place_of(int n, int along_k) {
  int at = get_local_id(0) + n * ITEMS;
  return along_k ? at / STEPS : at % EDGE;
}

// An item's share of a slice. What lies beyond the edge repeats the last row, as nobody reads its
// products; what lies beyond depth is 0.
#define FETCH(bf16, source, stride, along_k, size, depth, share)              \
  UNROLL for (int n = 0; n < SHARE; n++) {                                    \
    int k_of_n = step_of(n, along_k), i = min(place_of(n, along_k), (size)-1); \
    ulong at = along_k ? i * stride + k_of_n : k_of_n * stride + i;           \
    share[n] = k_of_n < (depth) ? VALUE(bf16, source[at]) : 0.0f;             \
  }

INLINE void keep(const float *share, int along_k, local float *slice) {
  UNROLL for (int n = 0; n < SHARE; n++)
    slice[step_of(n, along_k) * STRIDE + place_of(n, along_k)] =
        ROUNDS ? value1(element_of1(share[n])) : share[n];
}

INLINE void multiply(const local float *a, const local float *b, float c[WORK][WORK]) {
  // Two steps at a time: with more, two work-groups want more registers than a compute unit has.
  _Pragma("unroll 2") for (int k = 0; k < STEPS; k++) {
    float x[WORK], y[WORK];
    UNROLL for (int g = 0; g < WORK / 4; g++) {
      *(private float4 *)(x + 4 * g) = *(const local float4 *)(a + k * STRIDE + 64 * g);
      *(private float4 *)(y + 4 * g) = *(const local float4 *)(b + k * STRIDE + 64 * g);
    }
    UNROLL for (int i = 0; i < WORK; i++)
      UNROLL for (int j = 0; j < WORK; j++) c[i][j] = fma(x[i], y[j], c[i][j]);
  }
}

kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1)))
void matmul_gpu(const global ELEMENT(A_BF16) *A, long A_first, const global ELEMENT(B_BF16) *B,
                long B_first, global ELEMENT(C_BF16) *C, long C_first, const global float *bias,
                long bias_first, global ELEMENT(ACTIVATED_BF16) *activated, long activated_first,
                int A_batch, int B_batch, int M, int N, int K) {
  local float slices_a[2][STEPS * STRIDE] __attribute__((aligned(16)));
  local float slices_b[2][STEPS * STRIDE] __attribute__((aligned(16)));
  ulong batch = get_group_id(2);
  int row = get_group_id(1) * EDGE, column = get_group_id(0) * EDGE;
  int item = get_local_id(0);
  int i0 = 4 * (item / 8 % 4 + item / 64 * 4), j0 = 4 * (item % 8 + item / 32 % 2 * 8);
  ulong a_stride = TRANSPOSE_A ? M : K, b_stride = TRANSPOSE_B ? K : N;
  A += A_first + batch * A_batch + (TRANSPOSE_A ? row : row * a_stride);
  B += B_first + batch * B_batch + (TRANSPOSE_B ? column * b_stride : column);
  ulong corner = (batch * M + row) * N + column;
  C += C_first + corner;
  activated += activated_first + corner;
  bias += bias_first + column;
  M -= row;
  N -= column;
  ulong width = N + column;

  float c[WORK][WORK];
  UNROLL for (int i = 0; i < WORK; i++)
    UNROLL for (int j = 0; j < WORK; j++) {
      int r = i0 + i % 4 + i / 4 * 64, s = j0 + j % 4 + j / 4 * 64;
      c[i][j] = ACCUMULATE && r < M && s < N ? VALUE(C_BF16, C[r * width + s]) : 0.0f;
    }
  float share_a[SHARE], share_b[SHARE];
  FETCH(A_BF16, A, a_stride, !TRANSPOSE_A, M, K, share_a)
  FETCH(B_BF16, B, b_stride, TRANSPOSE_B, N, K, share_b)
  keep(share_a, !TRANSPOSE_A, slices_a[0]);
  keep(share_b, TRANSPOSE_B, slices_b[0]);
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int k = 0, now = 0; k < K; k += STEPS, now ^= 1) {
    A += STEPS * (TRANSPOSE_A ? a_stride : 1);
    B += STEPS * (TRANSPOSE_B ? 1 : b_stride);
    int left = K - k - STEPS;
    FETCH(A_BF16, A, a_stride, !TRANSPOSE_A, M, left, share_a)
    FETCH(B_BF16, B, b_stride, TRANSPOSE_B, N, left, share_b)
    multiply(slices_a[now] + i0, slices_b[now] + j0, c);
    keep(share_a, !TRANSPOSE_A, slices_a[now ^ 1]);
    keep(share_b, TRANSPOSE_B, slices_b[now ^ 1]);
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  UNROLL for (int i = 0; i < WORK; i++)
    UNROLL for (int j = 0; j < WORK; j++) {
      int r = i0 + i % 4 + i / 4 * 64, s = j0 + j % 4 + j / 4 * 64;
      if (r < M && s < N) {
        float sum = BIAS ? c[i][j] + bias[s] : c[i][j];
        C[r * width + s] = ELEMENT_OF(C_BF16, sum);
        if (GELU) activated[r * width + s] = ELEMENT_OF(ACTIVATED_BF16, gelu(sum));
      }
    }
}
