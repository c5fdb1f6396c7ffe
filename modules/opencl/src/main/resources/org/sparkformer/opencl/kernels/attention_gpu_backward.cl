// Backward of attention_gpu.cl: with PASS 1 delta, then dq by the kernel that owns queries; with PASS 2
// dk and dv by the one that owns keys.

#if PASS == 1

// delta[row] = sum over d of dy y, for rows of [B, heads, Tq]; a group takes DOWN queries of a head.
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1)))
void attention_delta(const global ELEMENT(Y_BF16) *y, long y_first, const global ELEMENT(DY_BF16) *dy,
                     long dy_first, global float *delta, long delta_first, int queries) {
  local float parts[ITEMS];
  int h = get_group_id(1), heads = get_num_groups(1), item = get_local_id(0);
  int i = get_group_id(0) * DOWN + item / ACROSS;
  ulong b = get_group_id(2);
  ulong at = ((b * queries + i) * heads + h) * D;
  float sum = 0.0f;
  for (int d = item % ACROSS; d < D && i < queries; d += ACROSS)
    sum = fma(VALUE(Y_BF16, y[y_first + at + d]), VALUE(DY_BF16, dy[dy_first + at + d]), sum);
  parts[item] = sum;
  barrier(CLK_LOCAL_MEM_FENCE);
  if (item % ACROSS == 0 && i < queries) {
    for (int part = 1; part < ACROSS; part++) sum += parts[item + part];
    delta[delta_first + (b * heads + h) * queries + i] = sum;
  }
}

// Owns queries.
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1)))
void attention_backward_query(
    INPUT_PARAMETERS, const global float *log_sum_exp, long log_sum_exp_first,
    const global float *dy, long dy_first, const global float *delta, long delta_first,
    global ELEMENT(RESULT_BF16) *dq, long dq_first, long dq_column, EXTENT_PARAMETERS,
    DROPOUT_PARAMETERS) {
  local float own[OWN * STRIDE] __attribute__((aligned(16)));
  local float own_dy[OWN * STRIDE] __attribute__((aligned(16)));
  local float block[BLOCK * STRIDE] __attribute__((aligned(16)));
  local float block_v[BLOCK * STRIDE] __attribute__((aligned(16)));
  local float scores[OWN * SCORE_STRIDE] __attribute__((aligned(16)));
  int tile = get_num_groups(0) - 1 - get_group_id(0), h = get_group_id(1), heads = get_num_groups(1);
  ulong b = get_group_id(2);
  int first = tile * OWN, count = min(OWN, queries - first), item = get_local_id(0);
  q += q_first + q_column + (b * queries + first) * q_stride + h * D;
  dq += dq_first + dq_column + (b * queries + first) * q_stride + h * D;
  k += k_first + k_column + b * k_length * k_stride + h * D;
  v += v_first + v_column + b * v_length * v_stride + h * D;
  dy += dy_first + ((b * queries + first) * heads + h) * D;
  ulong row = (b * heads + h) * queries + first;
  int visible = PADDED ? min(keys, key_lengths[key_lengths_first + b]) : keys;
  int end = CAUSAL ? min(visible, first_query + first + count) : visible;

  float shift[WORK], mean[WORK], factor[WORK];
  EACH_ROW {
    ulong at = row + min(item / ACROSS + DOWN * i, count - 1);
    shift[i] = log_sum_exp[log_sum_exp_first + at] * LOG2_E;
    mean[i] = delta[delta_first + at];
    factor[i] = scale;
  }
  float4 sums[WORK][SHARE];
  clear(sums);
  COPY_ROWS(QKV_BF16)(q, q_stride, count, OWN, own);
  COPY_ROWS(0)(dy, heads * D, count, OWN, own_dy);
  for (int j0 = 0; j0 < end; j0 += BLOCK) {
    float s[WORK][SPAN], slope[WORK][SPAN];
    COPY_ROWS(QKV_BF16)(k + (ulong)j0 * k_stride, k_stride, end - j0, BLOCK, block);
    COPY_ROWS(QKV_BF16)(v + (ulong)j0 * v_stride, v_stride, end - j0, BLOCK, block_v);
    barrier(CLK_LOCAL_MEM_FENCE);
    multiply(own, block, s);
    multiply(own_dy, block_v, slope);
    EACH_ROW UNROLL for (int n = 0; n < SPAN; n++) {
      int own_row = item / ACROSS + DOWN * i, j = j0 + item % ACROSS + ACROSS * n;
      int limit = CAUSAL ? min(visible, first_query + first + own_row + 1) : visible;
      float weight = exp2(fma(s[i][n], scale * LOG2_E, -shift[i]));
      if (DROPOUT) slope[i][n] *= keep_factor((row + own_row) * keys + j, DROPOUT_ARGUMENTS);
      s[i][n] = j < limit ? weight * (slope[i][n] - mean[i]) : 0.0f;
    }
    store_scores(s, scores);
    barrier(CLK_LOCAL_MEM_FENCE);
    accumulate(scores, block, sums);
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  store_rows(sums, factor, dq, q_stride, count);
}

#else

// Owns keys and their values.
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1)))
void attention_backward_key(
    INPUT_PARAMETERS, const global float *log_sum_exp, long log_sum_exp_first,
    const global float *dy, long dy_first, const global float *delta, long delta_first,
    global ELEMENT(RESULT_BF16) *dk, long dk_first, long dk_column,
    global ELEMENT(RESULT_BF16) *dv, long dv_first, long dv_column, EXTENT_PARAMETERS,
    DROPOUT_PARAMETERS) {
  local float own[OWN * STRIDE] __attribute__((aligned(16)));
  local float own_v[OWN * STRIDE] __attribute__((aligned(16)));
  local float block[BLOCK * STRIDE] __attribute__((aligned(16)));
  local float block_dy[BLOCK * STRIDE] __attribute__((aligned(16)));
  local float scores[OWN * SCORE_STRIDE] __attribute__((aligned(16)));
  local float slopes[OWN * SCORE_STRIDE] __attribute__((aligned(16)));
  int tile = get_group_id(0), h = get_group_id(1), heads = get_num_groups(1);
  ulong b = get_group_id(2);
  int first = tile * OWN, count = min(OWN, keys - first), item = get_local_id(0);
  q += q_first + q_column + b * queries * q_stride + h * D;
  dy += dy_first + (b * queries * heads + h) * D;
  k += k_first + k_column + (b * k_length + first) * k_stride + h * D;
  v += v_first + v_column + (b * v_length + first) * v_stride + h * D;
  dk += dk_first + dk_column + (b * k_length + first) * k_stride + h * D;
  dv += dv_first + dv_column + (b * v_length + first) * v_stride + h * D;
  ulong row = (b * heads + h) * queries;
  log_sum_exp += log_sum_exp_first + row;
  delta += delta_first + row;
  int visible = PADDED ? min(keys, key_lengths[key_lengths_first + b]) : keys;
  // Queries before the first see none of these keys.
  int begin = CAUSAL ? max(0, first - first_query) : 0;
  if (first >= visible) begin = queries;

  float4 sums[WORK][SHARE], sums_v[WORK][SHARE];
  float factor[WORK], one[WORK];
  EACH_ROW factor[i] = scale;
  EACH_ROW one[i] = 1.0f;
  clear(sums);
  clear(sums_v);
  COPY_ROWS(QKV_BF16)(k, k_stride, count, OWN, own);
  COPY_ROWS(QKV_BF16)(v, v_stride, count, OWN, own_v);
  for (int i0 = begin; i0 < queries; i0 += BLOCK) {
    float s[WORK][SPAN], slope[WORK][SPAN], shift[SPAN], mean[SPAN];
    COPY_ROWS(QKV_BF16)(q + (ulong)i0 * q_stride, q_stride, queries - i0, BLOCK, block);
    COPY_ROWS(0)(dy + (ulong)i0 * heads * D, heads * D, queries - i0, BLOCK, block_dy);
    UNROLL for (int n = 0; n < SPAN; n++) {
      int query = min(i0 + (int)(item % ACROSS) + ACROSS * n, queries - 1);
      shift[n] = log_sum_exp[query] * LOG2_E;
      mean[n] = delta[query];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    multiply(own, block, s);
    multiply(own_v, block_dy, slope);
    EACH_ROW UNROLL for (int n = 0; n < SPAN; n++) {
      int query = i0 + item % ACROSS + ACROSS * n, j = first + item / ACROSS + DOWN * i;
      int limit = CAUSAL ? min(visible, first_query + query + 1) : visible;
      float weight = exp2(fma(s[i][n], scale * LOG2_E, -shift[n]));
      weight = query < queries && j < limit ? weight : 0.0f;
      float kept = weight;
      if (DROPOUT) {
        float keep = keep_factor((row + query) * keys + j, DROPOUT_ARGUMENTS);
        slope[i][n] *= keep;
        kept *= keep;
      }
      slope[i][n] = weight * (slope[i][n] - mean[n]);
      s[i][n] = kept;
    }
    store_scores(s, scores);
    store_scores(slope, slopes);
    barrier(CLK_LOCAL_MEM_FENCE);
    accumulate(scores, block_dy, sums_v);
    accumulate(slopes, block, sums);
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  store_rows(sums, factor, dk, k_stride, count);
  store_rows(sums_v, one, dv, v_stride, count);
}

#endif
