// Matrix product C = op(A) op(B) (+ C) (+ bias), activated = GELU(C), for processors with many
// threads and fast local memory. fp32, row-major, operands rounded to bf16 on demand; arguments and
// macros as in matmul.cl.
//
// A work-group of SIDE x SIDE items computes a tile of C of EDGE = SIDE WORK elements a side, each
// item WORK x WORK of them in registers; STEPS of the inner product at a time pass through local
// memory (Volkov and Demmel, Benchmarking GPUs to tune dense linear algebra, SC 2008). Every element
// is one chain of fused multiply-adds over rising k, from 0 or from C. Item columns lie SIDE apart,
// so that neighbouring items touch neighbouring elements.
//
// Tunables: SIDE items, WORK elements an item, STEPS, a power of two.

#ifndef SIDE
#define SIDE 16
#endif
#ifndef WORK
#define WORK 4
#endif
#ifndef STEPS
#define STEPS 16
#endif
#ifndef TRANSPOSE_A
#define TRANSPOSE_A 0
#endif
#ifndef TRANSPOSE_B
#define TRANSPOSE_B 0
#endif
#ifndef ACCUMULATE
#define ACCUMULATE 0
#endif
#ifndef BIAS
#define BIAS 0
#endif
#ifndef ROUNDS
#define ROUNDS 0
#endif
#ifndef GELU
#define GELU 0
#endif

#define EDGE (SIDE * WORK)

// The nearest bf16, ties to even. NaN and infinities stay.
float rounded(float x) {
  uint bits = as_uint(x);
  return isfinite(x) ? as_float((bits + 0x7fffu + (bits >> 16 & 1u)) & 0xffff0000u) : x;
}

// Copies a slice, zero outside of [size, depth], to [STEPS][EDGE + 1]: element (i, k) lies at
// i * stride_i + k * stride_k, of which the one that is 1 decides which way neighbours run.
void copy_slice(const global float *source, ulong stride_i, ulong stride_k, int size, int depth,
                local float *slice) {
  int item = get_local_id(1) * SIDE + get_local_id(0);
  for (int at = item; at < EDGE * STEPS; at += SIDE * SIDE) {
    int i = stride_k == 1 ? at / STEPS : at % EDGE;
    int k = stride_k == 1 ? at % STEPS : at / EDGE;
    float x = i < size && k < depth ? source[i * stride_i + k * stride_k] : 0.0f;
    slice[k * (EDGE + 1) + i] = ROUNDS ? rounded(x) : x;
  }
}

// As in matmul.cl.
float gelu(float x) {
  float u = x * fma(x * x, 0.7978845608f * 0.044715f, 0.7978845608f);
  return x / (1.0f + exp(-2.0f * u));
}

kernel __attribute__((reqd_work_group_size(SIDE, SIDE, 1)))
void matmul_gpu(const global float *A, long A_first, const global float *B, long B_first,
                global float *C, long C_first, const global float *bias, long bias_first,
                global float *activated, long activated_first, int A_batch, int B_batch, int M,
                int N, int K) {
  local float slice_a[STEPS * (EDGE + 1)], slice_b[STEPS * (EDGE + 1)];
  ulong batch = get_group_id(2);
  int row = get_group_id(1) * EDGE, column = get_group_id(0) * EDGE;
  int i0 = get_local_id(1) * WORK, j0 = get_local_id(0);
  ulong a_row = TRANSPOSE_A ? 1 : K, a_k = TRANSPOSE_A ? M : 1;
  ulong b_column = TRANSPOSE_B ? K : 1, b_k = TRANSPOSE_B ? 1 : N;
  A += A_first + batch * A_batch + row * a_row;
  B += B_first + batch * B_batch + column * b_column;
  ulong corner = (batch * M + row) * N + column;
  C += C_first + corner;
  activated += activated_first + corner;
  bias += bias_first + column;

  float c[WORK][WORK];
  for (int i = 0; i < WORK; i++)
    for (int j = 0; j < WORK; j++) {
      int inside = row + i0 + i < M && column + j0 + j * SIDE < N;
      c[i][j] = ACCUMULATE && inside ? C[(ulong)(i0 + i) * N + j0 + j * SIDE] : 0.0f;
    }
  for (int k = 0; k < K; k += STEPS) {
    copy_slice(A + k * a_k, a_row, a_k, M - row, K - k, slice_a);
    copy_slice(B + k * b_k, b_column, b_k, N - column, K - k, slice_b);
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int step = 0; step < STEPS; step++)
      for (int i = 0; i < WORK; i++)
        for (int j = 0; j < WORK; j++)
          c[i][j] = fma(slice_a[step * (EDGE + 1) + i0 + i],
                        slice_b[step * (EDGE + 1) + j0 + j * SIDE], c[i][j]);
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  for (int i = 0; i < WORK; i++)
    for (int j = 0; j < WORK; j++)
      if (row + i0 + i < M && column + j0 + j * SIDE < N) {
        ulong at = (ulong)(i0 + i) * N + j0 + j * SIDE;
        float sum = BIAS ? c[i][j] + bias[j0 + j * SIDE] : c[i][j];
        C[at] = sum;
        if (GELU) activated[at] = gelu(sum);
      }
}
