// Backward of attention_amx.cl, after attention_delta: dq, dk and dv by the kernel that owns a head.

// From scores and dp of rows i0 + r, those of queries: the weights of values and the slopes of scores,
// both in pairs of rows, and the slopes in pairs along the columns too.
void slope_columns(const local float *scores, const local float *dp, int begin, int rows, int i0,
                   int queries, int open, int first_query, int first_key, int visible, int keys,
                   float scale, const global float *log_sum_exp, const global float *delta,
                   ulong element, local uint *weights, local uint *slopes,
                   local uint *slope_rows, DROPOUT_PARAMETERS) {
  for (int r = begin; r < rows; r += 2) {
    floatV kept[2][COLUMNS / VW], slope[2][COLUMNS / VW];
    UNROLL for (int j = 0; j < 2; j++) {
      // Rows beyond the last weigh nothing.
      int i = min(i0 + r + j, queries - 1);
      float shift = i0 + r + j < queries ? log_sum_exp[i] : INFINITY, mean = delta[i];
      int limit = CAUSAL ? min(visible, first_query + i + 1) : visible;
      EACH_VECTOR {
        int at = (r + j) * COLUMNS + n * VW;
        floatV weight = exponential(fma(LOAD(local, scores + at), (floatV)(scale), (floatV)(-shift)));
        if (i < open)
          weight = first_key + n * VW + lane_numbers() < limit ? weight : (floatV)(0.0f);
        kept[j][n] = weight;
        floatV gradient = LOAD(local, dp + at);
        if (DROPOUT) {
          floatV keep = keep_factor(element + (ulong)i * keys + first_key + n * VW, 1,
                                    DROPOUT_ARGUMENTS);
          gradient *= keep;
          kept[j][n] *= keep;
        }
        slope[j][n] = weight * (gradient - mean) * scale;
      }
      STORE_WORDS(slope_rows + (r + j) * OWN_WORDS, pairs_along(slope[j][0], slope[j][1]));
    }
    EACH_VECTOR {
      int at = r / 2 * COLUMNS + n * VW;
      STORE_WORDS(weights + at, pairs_across(kept[0][n], kept[1][n]));
      STORE_WORDS(slopes + at, pairs_across(slope[0][n], slope[1][n]));
    }
  }
}

// dq[r][d] += sum over own keys of slopes, for rows of D elements in global memory.
void add_to_queries(const local uint *slope_rows, const local uint *keys, int words, int rows,
                    ulong stride, global float *dq) {
  for (int r = 0; r < rows; r += 32)
    for (int d = 0; d < D; d += 32) {
      global float *at = dq + r * stride + d;
      ulong a = (ulong)(slope_rows + r * OWN_WORDS), b = (ulong)(keys + d), row = stride * 4;
      if (r + 32 <= rows && d + 32 <= D) {
        add_square(a, 4 * OWN_WORDS, b, 4 * DP, words, (ulong)at, row, 0, (ulong)at, row);
        continue;
      }
      float beside[32 * 32] __attribute__((aligned(64)));
      add_square(a, 4 * OWN_WORDS, b, 4 * DP, words, 0, 0, 1, (ulong)beside, 128);
      for (int i = 0; i < min(32, rows - r); i++)
        for (int j = 0; j < min(32, D - d); j += VW) {
          int here = min(VW, D - d - j);
          store_part(at + i * stride + j,
                     load_up_to(at + i * stride + j, here) + LOAD(private, beside + i * 32 + j), here);
        }
    }
}

kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void attention_backward_key(
    INPUT_PARAMETERS, const global float *log_sum_exp, long log_sum_exp_first,
    const global float *dy, long dy_first, const global float *delta, long delta_first,
    global float *dq, long dq_first, long dq_column, global float *dk, long dk_first,
    long dk_column, global float *dv, long dv_first, long dv_column, EXTENT_PARAMETERS,
    DROPOUT_PARAMETERS) {
  local uint own_k[D_WORDS * OWN], own_v[D_WORDS * OWN], pairs_k[OWN_WORDS * DP];
  local uint rows_q[ROWS * D_WORDS], rows_dy[ROWS * D_WORDS];
  local uint columns_q[DP * ROW_WORDS], columns_dy[DP * ROW_WORDS];
  local uint beside[(ROWS > OWN ? ROWS : OWN) * D_WORDS];
  local uint weights[ROW_WORDS * COLUMNS], slopes[ROW_WORDS * COLUMNS], slope_rows[ROWS * OWN_WORDS];
  local float sums_k[DP * OWN], sums_v[DP * OWN], scores[ROWS * COLUMNS], dp[ROWS * COLUMNS];
  int h = get_group_id(1), heads = get_num_groups(1);
  ulong b = get_group_id(2);
  q += q_first + q_column + b * queries * q_stride + h * D;
  dq += dq_first + dq_column + b * queries * q_stride + h * D;
  dy += dy_first + (b * queries * heads + h) * D;
  k += k_first + k_column + b * k_length * k_stride + h * D;
  v += v_first + v_column + b * v_length * v_stride + h * D;
  dk += dk_first + dk_column + b * k_length * k_stride + h * D;
  dv += dv_first + dv_column + b * v_length * v_stride + h * D;
  ulong row = (b * heads + h) * queries;
  log_sum_exp += log_sum_exp_first + row;
  delta += delta_first + row;
  int visible = PADDED ? min(keys, key_lengths[key_lengths_first + b]) : keys;

  clear_rows(dq, q_stride, queries);
  TILES_BEGIN();
  for (int first = 0; first < keys; first += OWN) {
    int count = min(OWN, keys - first), padded_own = padded_rows(count);
    // Queries before the first see none of these keys.
    int begin = CAUSAL ? max(0, first - first_query) : 0;
    if (first >= visible) begin = queries;
    ROWS_TO_WORDS(QKV_BF16)(k + (ulong)first * k_stride, k_stride, count, padded_own, beside);
    transpose_words(beside, D_WORDS, padded_own, D_WORDS, own_k, OWN);
    ROWS_TO_WORDS(QKV_BF16)(v + (ulong)first * v_stride, v_stride, count, padded_own, beside);
    transpose_words(beside, D_WORDS, padded_own, D_WORDS, own_v, OWN);
    ROWS_TO_PAIRS(QKV_BF16)(k + (ulong)first * k_stride, k_stride, count, padded_own, pairs_k);
    clear(sums_k);
    clear(sums_v);
    for (int i0 = begin; i0 < queries; i0 += ROWS) {
      int rows = min(ROWS, queries - i0), padded = padded_rows(rows);
      ROWS_TO_WORDS(QKV_BF16)(q + (ulong)i0 * q_stride, q_stride, rows, padded, rows_q);
      ROWS_TO_PAIRS(QKV_BF16)(q + (ulong)i0 * q_stride, q_stride, rows, padded, beside);
      transpose_words(beside, DP, padded / 2, DP, columns_q, ROW_WORDS);
      ROWS_TO_WORDS(0)(dy + (ulong)i0 * heads * D, heads * D, rows, padded, rows_dy);
      ROWS_TO_PAIRS(0)(dy + (ulong)i0 * heads * D, heads * D, rows, padded, beside);
      transpose_words(beside, DP, padded / 2, DP, columns_dy, ROW_WORDS);
      for (int at = 0; at < count; at += COLUMNS) {
        int key = first + at;
        // Rows, in whole tiles, that see none of these keys; from the open query on, they see all.
        int unseen = CAUSAL ? clamp((key - first_query - i0) / 32 * 32, 0, padded) : 0;
        int open = CAUSAL ? key + COLUMNS - 1 - first_query : 0;
        if (key + COLUMNS > visible) open = queries;
        for (int r = 0; r < unseen; r++)
          STORE_WORDS(slope_rows + r * OWN_WORDS + at / 2, (uintV)(0));
        int here = padded - unseen, words = unseen / 2;
        add_product(rows_q + unseen * D_WORDS, D_WORDS, here, own_k + at, OWN, COLUMNS, D_WORDS, 1,
                    scores + unseen * COLUMNS, COLUMNS);
        add_product(rows_dy + unseen * D_WORDS, D_WORDS, here, own_v + at, OWN, COLUMNS, D_WORDS, 1,
                    dp + unseen * COLUMNS, COLUMNS);
        slope_columns(scores, dp, unseen, padded, i0, queries, open, first_query, key, visible, keys,
                      scale, log_sum_exp, delta, row * keys, weights, slopes, slope_rows + at / 2,
                      DROPOUT_ARGUMENTS);
        add_product(columns_dy + words, ROW_WORDS, DP, weights + words * COLUMNS, COLUMNS, COLUMNS,
                    here / 2, 0, sums_v + at, OWN);
        add_product(columns_q + words, ROW_WORDS, DP, slopes + words * COLUMNS, COLUMNS, COLUMNS,
                    here / 2, 0, sums_k + at, OWN);
      }
      add_to_queries(slope_rows, pairs_k, padded_own / 2, rows, q_stride,
                     dq + (ulong)i0 * q_stride);
    }
    LANES_TO_ROWS(0)(sums_k, dk + (ulong)first * k_stride, k_stride, count);
    LANES_TO_ROWS(0)(sums_v, dv + (ulong)first * v_stride, v_stride, count);
  }
  TILES_END();
}
