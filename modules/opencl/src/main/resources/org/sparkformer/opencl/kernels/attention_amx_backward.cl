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
      store_row(slope_rows + ROW_ALONG(r + j), row_along(slope[j][0], slope[j][1]));
    }
    EACH_VECTOR {
      int at = ROW_ACROSS(r) + n * REGISTER;
      store_row(weights + at, row_across(kept[0][n], kept[1][n]));
      store_row(slopes + at, row_across(slope[0][n], slope[1][n]));
    }
  }
}

// dq[r][d] += sum over own keys of slopes, for rows of D elements in global memory.
void add_to_queries(const local uint *slope_rows, const local uint *keys, int words, int rows,
                    ulong stride, global float *dq) {
  for (int r = 0; r < rows; r += 32)
    for (int d = 0; d < D; d += 32) {
      global float *at = dq + r * stride + d;
      ulong a = (ulong)(slope_rows + r * WORDS(OWN)), b = (ulong)(keys + d * WORDS(OWN)), row = stride * 4;
      if (r + 32 <= rows && d + 32 <= D) {
        add_panels(a, b, words, (ulong)at, row, 0, (ulong)at, row);
        continue;
      }
      float beside[32 * 32] __attribute__((aligned(64)));
      add_panels(a, b, words, 0, 0, 1, (ulong)beside, COLUMN_BYTES);
      for (int i = 0; i < min(32, rows - r); i++)
        for (int j = 0; j < min(32, D - d); j += VW) {
          int here = min(VW, D - d - j);
          store_part(at + i * stride + j,
                     load_up_to(at + i * stride + j, here) + LOAD(private, beside + i * 32 + j), here);
        }
    }
}

// All queries as lanes and steps d, then d as lanes and queries as steps.
#define pack_both(bf16, source, stride, panels)                                         \
  COPY_PANELS(bf16)(source, stride, 0, 0, queries, D, panels, 32 * WORDS(D));           \
  COPY_PANELS(bf16)(source, stride, 1, 1, D, queries, (panels) + packed * 4, 32 * WORDS(queries))

kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void attention_backward_key(
    INPUT_PARAMETERS, const global float *log_sum_exp, long log_sum_exp_first,
    const global float *dy, long dy_first, const global float *delta, long delta_first,
    const global uint *ready_q, long ready_q_first, local uint *held_q,
    const global uint *ready_dy, long ready_dy_first, local uint *held_dy, global float *dq, long dq_first, long dq_column,
    global float *dk, long dk_first, long dk_column, global float *dv, long dv_first,
    long dv_column, EXTENT_PARAMETERS, DROPOUT_PARAMETERS) {
  local uint own_k[PANELS(OWN)] ALIGNED, own_v[PANELS(OWN)] ALIGNED, own_k_across[PANELS(OWN)] ALIGNED;
  local uint weights[ROWS / 32 * SQUARE] ALIGNED, slopes[ROWS / 32 * SQUARE] ALIGNED;
  local uint slope_rows[ROWS * WORDS(OWN)] ALIGNED;
  local float sums_k[DP * OWN], sums_v[DP * OWN], scores[ROWS * COLUMNS], dp[ROWS * COLUMNS];
  int h = get_group_id(1), heads = get_num_groups(1);
  ulong b = get_group_id(2), head = b * heads + h;
  q += q_first + q_column + b * queries * q_stride + h * D;
  dq += dq_first + dq_column + b * queries * q_stride + h * D;
  dy += dy_first + (b * queries * heads + h) * D;
  k += k_first + k_column + b * k_length * k_stride + h * D;
  v += v_first + v_column + b * v_length * v_stride + h * D;
  dk += dk_first + dk_column + b * k_length * k_stride + h * D;
  dv += dv_first + dv_column + b * v_length * v_stride + h * D;
  ulong row = head * queries;
  log_sum_exp += log_sum_exp_first + row;
  delta += delta_first + row;
  int visible = PADDED ? min(keys, key_lengths[key_lengths_first + b]) : keys;

  clear_rows(dq, q_stride, queries);
  TILES_BEGIN();
  ulong packed = PANELS(padded_rows(queries));
#if READY
  ulong q_along = (ulong)(ready_q + ready_q_first + head * 2 * packed);
  ulong dy_along = (ulong)(ready_dy + ready_dy_first + head * 2 * packed);
#else
  ulong q_along = (ulong)held_q, dy_along = (ulong)held_dy;
  pack_both(QKV_BF16, q, q_stride, q_along);
  pack_both(0, dy, heads * D, dy_along);
#endif
  ulong q_across = q_along + packed * 4, dy_across = dy_along + packed * 4;
  for (int first = 0; first < keys; first += OWN) {
    int count = min(OWN, keys - first), padded_own = padded_rows(count);
    // Queries before the first see none of these keys.
    int begin = CAUSAL ? max(0, first - first_query) / 32 * 32 : 0;
    if (first >= visible) begin = queries;
    COPY_PANELS(QKV_BF16)(k + (ulong)first * k_stride, k_stride, 0, 1, count, D, (ulong)own_k,
                          32 * WORDS(D));
    COPY_PANELS(QKV_BF16)(v + (ulong)first * v_stride, v_stride, 0, 1, count, D, (ulong)own_v,
                          32 * WORDS(D));
    COPY_PANELS(QKV_BF16)(k + (ulong)first * k_stride, k_stride, 1, 0, D, count, (ulong)own_k_across,
                          32 * WORDS(OWN));
    clear(sums_k);
    clear(sums_v);
    for (int i0 = begin; i0 < queries; i0 += ROWS) {
      int rows = min(ROWS, queries - i0), padded = padded_rows(rows);
      for (int at = 0; at < count; at += COLUMNS) {
        int key = first + at;
        // Rows, in whole tiles, that see none of these keys; from the open query on, they see all.
        int unseen = CAUSAL ? clamp((key - first_query - i0) / 32 * 32, 0, padded) : 0;
        int open = CAUSAL ? key + COLUMNS - 1 - first_query : 0;
        if (key + COLUMNS > visible) open = queries;
        local uint *rows_at = slope_rows + at / 32 * SQUARE;
        for (int r = 0; r < unseen; r++)
          for (int part = 0; part < PARTS; part++)
            STORE_WORDS(rows_at + ROW_ALONG(r) + part * PART, (uintV)(0));
        for (int r = unseen; r < padded; r += 32) {
          ulong from = (ulong)(i0 + r) * WORDS(D) * 4;
          add_panels(q_along + from, (ulong)(own_k + at * WORDS(D)), WORDS(D), 0, 0, 1,
                     (ulong)(scores + r * COLUMNS), COLUMN_BYTES);
          add_panels(dy_along + from, (ulong)(own_v + at * WORDS(D)), WORDS(D), 0, 0, 1,
                     (ulong)(dp + r * COLUMNS), COLUMN_BYTES);
        }
        slope_columns(scores, dp, unseen, padded, i0, queries, open, first_query, key, visible, keys,
                      scale, log_sum_exp, delta, row * keys, weights, slopes, rows_at,
                      DROPOUT_ARGUMENTS);
        int skipped = unseen / 32 * SQUARE, words = WORDS(padded - unseen);
        for (int d = 0; d < DP; d += 32) {
          ulong from = ((ulong)d * WORDS(queries) + (i0 + unseen) / 32 * SQUARE) * 4;
          ulong sum_v = (ulong)(sums_v + d * OWN + at), sum_k = (ulong)(sums_k + d * OWN + at);
          add_panels(dy_across + from, (ulong)(weights + skipped), words, sum_v, OWN_BYTES, 0, sum_v,
                     OWN_BYTES);
          add_panels(q_across + from, (ulong)(slopes + skipped), words, sum_k, OWN_BYTES, 0, sum_k,
                     OWN_BYTES);
        }
      }
      add_to_queries(slope_rows, own_k_across, WORDS(padded_own), rows, q_stride,
                     dq + (ulong)i0 * q_stride);
    }
    LANES_TO_ROWS(0)(sums_k, dk + (ulong)first * k_stride, k_stride, count);
    LANES_TO_ROWS(0)(sums_v, dv + (ulong)first * v_stride, v_stride, count);
  }
  TILES_END();
}
