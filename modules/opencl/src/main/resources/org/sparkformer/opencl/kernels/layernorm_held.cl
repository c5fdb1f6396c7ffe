// Layer normalisation, as layernorm.cl has it, for devices with many registers: a warp a row, whose
// lanes hold it from the one time that it is read to the one that it is written, and sum over the row by
// exchanging what they have. No item waits for another warp.
//
// columns is at most VALUES * 32: values of a lane lie 32 apart.

#define ITEMS 128

#include "nvidia.cl"
#include "elements.cl"
#include "dropout_arguments.cl"
#include "dropout.cl"

#ifndef DROPOUT
#define DROPOUT 0
#endif
#ifndef Y_BF16
#define Y_BF16 0
#endif
#ifndef DY_BF16
#define DY_BF16 0
#endif

#define EACH_VALUE UNROLL for (int i = 0; i < VALUES; i++)
#define COLUMN (lane + i * WARP)
// A row that there is, for warps beyond the last: what they compute they do not write.
#define ROW_OF_WARP                                                                          \
  int lane = get_local_id(0) % WARP;                                                         \
  int own = get_global_id(0) / WARP;                                                         \
  bool there = own < rows;                                                                   \
  long row = min(own, rows - 1)

INLINE float sum_of_lanes(float x, warp_t *warp) {
  UNROLL for (int mask = WARP / 2; mask > 0; mask /= 2) x += exchange_lanes(x, mask, warp);
  return x;
}

// Of an element of the whole tensor; what is added to it is rounded by itself.
INLINE float dropped(float x, ulong element, DROPOUT_PARAMETERS) {
#pragma OPENCL FP_CONTRACT OFF
  float keep = keep_factor(element, DROPOUT_ARGUMENTS);
  return keep > 0.0f ? x * keep : 0.0f;
}

kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1)))
void layer_norm_forward(const global float *x, long x_first, const global float *branch,
                        long branch_first, global float *sum, long sum_first,
                        const global float *weight, long weight_first, const global float *bias,
                        long bias_first, global ELEMENT(Y_BF16) *y, long y_first,
                        global float *mean, long mean_first, global float *rstd, long rstd_first,
                        int rows, int columns, float epsilon, int branch_present
#if DROPOUT
                        , DROPOUT_PARAMETERS
#endif
) {
  WARP_STATE(warp);
  ROW_OF_WARP;
  x += x_first + row * columns;
  branch += branch_first + row * columns;
  sum += sum_first + row * columns;
  y += y_first + row * columns;
  weight += weight_first;
  bias += bias_first;
  float values[VALUES], total = 0.0f, squares = 0.0f;
  EACH_VALUE values[i] = COLUMN < columns ? x[COLUMN] : 0.0f;
  if (branch_present) {
#if DROPOUT
    EACH_VALUE if (COLUMN < columns)
      values[i] += dropped(branch[COLUMN], row * columns + COLUMN, DROPOUT_ARGUMENTS);
#else
    EACH_VALUE values[i] += COLUMN < columns ? branch[COLUMN] : 0.0f;
#endif
    EACH_VALUE if (there && COLUMN < columns) sum[COLUMN] = values[i];
  }
  EACH_VALUE total += values[i];
  float m = sum_of_lanes(total, warp) / columns;
  EACH_VALUE {
    values[i] = COLUMN < columns ? values[i] - m : 0.0f;
    squares = fma(values[i], values[i], squares);
  }
  float r = 1.0f / sqrt(sum_of_lanes(squares, warp) / columns + epsilon);
  EACH_VALUE if (there && COLUMN < columns)
    y[COLUMN] = ELEMENT_OF(Y_BF16, fma(values[i] * r, weight[COLUMN], bias[COLUMN]));
  if (there && lane == 0) {
    mean[mean_first + row] = m;
    rstd[rstd_first + row] = r;
  }
}

// dx may be dsum: each value is read before its own place is written.
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1)))
void layer_norm_backward(const global ELEMENT(DY_BF16) *dy, long dy_first, const global float *x,
                         long x_first, const global float *weight, long weight_first,
                         const global float *mean, long mean_first, const global float *rstd,
                         long rstd_first, const global float *dsum, long dsum_first,
                         global float *dx, long dx_first, int rows, int columns,
                         int dsum_present
#if DROPOUT
                         , global float *dbranch, long dbranch_first, DROPOUT_PARAMETERS
#endif
) {
  WARP_STATE(warp);
  ROW_OF_WARP;
  dy += dy_first + row * columns;
  x += x_first + row * columns;
  dsum += dsum_first + row * columns;
  dx += dx_first + row * columns;
  weight += weight_first;
  float m = mean[mean_first + row], r = rstd[rstd_first + row];
  float g[VALUES], n[VALUES], sum_g = 0.0f, sum_gn = 0.0f;
  EACH_VALUE g[i] = COLUMN < columns ? VALUE(DY_BF16, dy[COLUMN]) * weight[COLUMN] : 0.0f;
  EACH_VALUE n[i] = COLUMN < columns ? (x[COLUMN] - m) * r : 0.0f;
  EACH_VALUE {
    sum_g += g[i];
    sum_gn = fma(g[i], n[i], sum_gn);
  }
  float mean_g = sum_of_lanes(sum_g, warp) / columns;
  float mean_gn = sum_of_lanes(sum_gn, warp) / columns;
  EACH_VALUE if (there && COLUMN < columns) {
    float past = dsum_present ? dsum[COLUMN] : 0.0f;
    float d = fma(g[i] - mean_g - n[i] * mean_gn, r, past);
    dx[COLUMN] = d;
#if DROPOUT
    long element = row * columns + COLUMN;
    dbranch[dbranch_first + element] = dropped(d, element, DROPOUT_ARGUMENTS);
#endif
  }
}
