// Backward of attention.cl: delta first, then dq by the kernel that owns queries, dk and dv by the one
// that owns keys, or with WHOLE all three by the latter.

#include "attention_delta.cl"
#include "attention_whole.cl"

// Owns queries.
kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void attention_backward_query(
    INPUT_PARAMETERS, const global float *log_sum_exp, long log_sum_exp_first,
    const global float *dy, long dy_first, const global float *delta, long delta_first,
    global float *dq, long dq_first, long dq_column, EXTENT_PARAMETERS, DROPOUT_PARAMETERS) {
  local float own[DP * LANES], own_dy[DP * LANES], sums[DP * LANES];
  local float p[ROWS * LANES], dp[ROWS * LANES], block[ROWS * DP], block_v[ROWS * DP];
  int tile = get_num_groups(0) - 1 - get_group_id(0), h = get_group_id(1), heads = get_num_groups(1);
  ulong b = get_group_id(2);
  int first = tile * LANES, count = min(LANES, queries - first);
  q += q_first + q_column + (b * queries + first) * q_stride + h * D;
  dq += dq_first + dq_column + (b * queries + first) * q_stride + h * D;
  k += k_first + k_column + b * k_length * k_stride + h * D;
  v += v_first + v_column + b * v_length * v_stride + h * D;
  dy += dy_first + ((b * queries + first) * heads + h) * D;
  ulong row = (b * heads + h) * queries + first;
  int visible = PADDED ? min(keys, key_lengths[key_lengths_first + b]) : keys;
  int end = CAUSAL ? min(visible, first_query + first + count) : visible;
  int open = CAUSAL ? min(visible, first_query + first + 1) : visible;

  ROWS_TO_LANES(QKV_BF16)(q, q_stride, count, scale, own);
  ROWS_TO_LANES(0)(dy, heads * D, count, 1.0f, own_dy);
  clear(sums);
  intV limit[NV];
  floatV shift[NV], mean[NV], one[NV];
  EACH_VECTOR {
    limit[n] = CAUSAL ? first_query + first + n * VW + 1 + lane_numbers() : (intV)(keys);
    limit[n] = min(limit[n], (intV)(visible));
    int here = clamp(count - n * VW, 0, VW);
    shift[n] = load_up_to(log_sum_exp + log_sum_exp_first + row + n * VW, here);
    mean[n] = load_up_to(delta + delta_first + row + n * VW, here);
    one[n] = (floatV)(1.0f);
  }
  for (int j0 = 0; j0 < end; j0 += ROWS) {
    int rows = min(ROWS, end - j0), padded = padded_rows(rows);
    COPY_ROWS(QKV_BF16)(k + (ulong)j0 * k_stride, k_stride, rows, 1.0f, padded, DP, block);
    COPY_ROWS(QKV_BF16)(v + (ulong)j0 * v_stride, v_stride, rows, 1.0f, padded, DP, block_v);
    multiply(block, own, padded, p);
    multiply(block_v, own_dy, padded, dp);
    for (int r = 0; r < padded; r++) EACH_VECTOR {
      floatV weight = exponential(LOAD(local, p + r * LANES + n * VW) - shift[n]);
      floatV slope = LOAD(local, dp + r * LANES + n * VW);
      if (DROPOUT) slope *= keep_factor((row + n * VW) * keys + j0 + r, keys, DROPOUT_ARGUMENTS);
      slope = weight * (slope - mean[n]);
      if (j0 + r >= open) slope = j0 + r < limit[n] ? slope : (floatV)(0.0f);
      STORE(local, p + r * LANES + n * VW, slope);
    }
    accumulate(block, p, padded, one, sums);
  }
  for (int at = 0; at < DP * LANES; at += VW)
    STORE(local, sums + at, LOAD(local, sums + at) * scale);
  LANES_TO_ROWS(0)(sums, dq, q_stride, count);
}

#if WHOLE
#define QUERY_PARAMETERS global float *dq, long dq_first, long dq_column,
#else
#define QUERY_PARAMETERS
#endif

// Owns keys and their values; with WHOLE a head's every key, tile by tile, and its queries too.
kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void attention_backward_key(
    INPUT_PARAMETERS, const global float *log_sum_exp, long log_sum_exp_first,
    const global float *dy, long dy_first, const global float *delta, long delta_first,
    QUERY_PARAMETERS global float *dk, long dk_first, long dk_column, global float *dv,
    long dv_first, long dv_column, EXTENT_PARAMETERS, DROPOUT_PARAMETERS) {
  local float own[DP * LANES], own_v[DP * LANES], sums[DP * LANES], sums_v[DP * LANES];
  local float p[ROWS * LANES], dp[ROWS * LANES], block[ROWS * DP], block_dy[ROWS * DP];
  local float own_rows[WHOLE ? LANES * DW : 1];
  int h = get_group_id(1), heads = get_num_groups(1);
  ulong b = get_group_id(2);
  q += q_first + q_column + b * queries * q_stride + h * D;
  dy += dy_first + (b * queries * heads + h) * D;
  k += k_first + k_column + b * k_length * k_stride + h * D;
  v += v_first + v_column + b * v_length * v_stride + h * D;
  dk += dk_first + dk_column + b * k_length * k_stride + h * D;
  dv += dv_first + dv_column + b * v_length * v_stride + h * D;
  ulong row = (b * heads + h) * queries;
  log_sum_exp += log_sum_exp_first + row;
  delta += delta_first + row;
  int visible = PADDED ? min(keys, key_lengths[key_lengths_first + b]) : keys;
  floatV one[NV];
  EACH_VECTOR one[n] = (floatV)(1.0f);
#if WHOLE
  dq += dq_first + dq_column + b * queries * q_stride + h * D;
  clear_rows(dq, q_stride, queries);
#endif

  int end = WHOLE ? keys : min(keys, (int)(get_group_id(0) + 1) * LANES);
  for (int first = get_group_id(0) * LANES; first < end; first += LANES) {
    int count = min(LANES, keys - first);
    // Queries before the first see none of these keys; from the open one on, they see all.
    int begin = CAUSAL ? max(0, first - first_query) : 0;
    int open = CAUSAL ? first + count - 1 - first_query : 0;
    if (first + count > visible) open = queries;
    if (first >= visible) begin = queries;

    ROWS_TO_LANES(QKV_BF16)(k + (ulong)first * k_stride, k_stride, count, 1.0f, own);
    ROWS_TO_LANES(QKV_BF16)(v + (ulong)first * v_stride, v_stride, count, 1.0f, own_v);
    if (WHOLE)
      COPY_ROWS(QKV_BF16)(k + (ulong)first * k_stride, k_stride, count, 1.0f, LANES, DW, own_rows);
    clear(sums);
    clear(sums_v);
    for (int i0 = begin; i0 < queries; i0 += ROWS) {
      int rows = min(ROWS, queries - i0), padded = padded_rows(rows);
      COPY_ROWS(QKV_BF16)(q + (ulong)i0 * q_stride, q_stride, rows, scale, padded, DP, block);
      COPY_ROWS(0)(dy + (ulong)i0 * heads * D, heads * D, rows, 1.0f, padded, DP, block_dy);
      multiply(block, own, padded, p);
      multiply(block_dy, own_v, padded, dp);
      for (int r = 0; r < padded; r++) {
        // Rows beyond the last weigh nothing.
        int i = min(i0 + r, queries - 1);
        float shift = i0 + r < queries ? log_sum_exp[i] : INFINITY, mean = delta[i];
        int limit = CAUSAL ? min(visible, first_query + i + 1) : visible;
        EACH_VECTOR {
          floatV weight = exponential(LOAD(local, p + r * LANES + n * VW) - shift);
          floatV slope = LOAD(local, dp + r * LANES + n * VW);
          if (i < open) weight = first + n * VW + lane_numbers() < limit ? weight : (floatV)(0.0f);
          floatV kept = weight;
          if (DROPOUT) {
            floatV keep = keep_factor((row + i) * keys + first + n * VW, 1, DROPOUT_ARGUMENTS);
            slope *= keep;
            kept *= keep;
          }
          STORE(local, p + r * LANES + n * VW, kept);
          STORE(local, dp + r * LANES + n * VW, weight * (slope - mean));
        }
      }
      accumulate(block_dy, p, padded, one, sums_v);
      accumulate(block, dp, padded, one, sums);
#if WHOLE
      add_to_queries(dp, own_rows, count, rows, q_stride, dq + (ulong)i0 * q_stride);
#endif
    }
    LANES_TO_ROWS(0)(sums, dk + (ulong)first * k_stride, k_stride, count);
    LANES_TO_ROWS(0)(sums_v, dv + (ulong)first * v_stride, v_stride, count);
  }
#if WHOLE
  scale_rows(dq, q_stride, queries, scale);
#endif
}
