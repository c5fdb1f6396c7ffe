// What the kernels of attention.cl share: tiles in local memory, [ROWS][DP] and transposed [D][LANES],
// both products, and the way from memory and back.

#define TILE 8
#define DP ((D + TILE - 1) / TILE * TILE)
#define LANES (NV * VW)
#define EACH_ROW UNROLL for (int i = 0; i < TILE; i++)
#define EACH_VECTOR UNROLL for (int n = 0; n < NV; n++)

#include "attention_lanes.cl"

#define BF16 0
#include "attention_rows.cl"
#undef BF16
#define BF16 1
#include "attention_rows.cl"
#undef BF16
#define ROWS_TO_LANES(bf16) BY_TYPE(rows_to_lanes, bf16)
#define LANES_TO_ROWS(bf16) BY_TYPE(lanes_to_rows, bf16)
#define COPY_ROWS(bf16) BY_TYPE(copy_rows, bf16)

// products[r][lane] = sum over d of rows[r][d] lanes[d][lane].
void multiply(const local float *rows, const local float *lanes, int padded,
              local float *products) {
  for (int r = 0; r < padded; r += TILE) {
    floatV sum[TILE][NV];
    EACH_ROW EACH_VECTOR sum[i][n] = (floatV)(0.0f);
    for (int d = 0; d < D; d++) {
      floatV x[NV];
      EACH_VECTOR x[n] = LOAD(local, lanes + d * LANES + n * VW);
      EACH_ROW EACH_VECTOR sum[i][n] = fma((floatV)(rows[(r + i) * DP + d]), x[n], sum[i][n]);
    }
    EACH_ROW EACH_VECTOR STORE(local, products + (r + i) * LANES + n * VW, sum[i][n]);
  }
}

// sums[d][lane] = sums[d][lane] factor[lane] + sum over r of rows[r][d] weights[r][lane].
void accumulate(const local float *rows, const local float *weights, int padded,
                const floatV *factor, local float *sums) {
  for (int d = 0; d < DP; d += TILE) {
    floatV sum[TILE][NV];
    EACH_ROW EACH_VECTOR sum[i][n] = LOAD(local, sums + (d + i) * LANES + n * VW) * factor[n];
    for (int r = 0; r < padded; r++) {
      floatV x[NV];
      EACH_VECTOR x[n] = LOAD(local, weights + r * LANES + n * VW);
      EACH_ROW EACH_VECTOR sum[i][n] = fma((floatV)(rows[r * DP + d + i]), x[n], sum[i][n]);
    }
    EACH_ROW EACH_VECTOR STORE(local, sums + (d + i) * LANES + n * VW, sum[i][n]);
  }
}

int padded_rows(int count) { return (count + TILE - 1) / TILE * TILE; }
