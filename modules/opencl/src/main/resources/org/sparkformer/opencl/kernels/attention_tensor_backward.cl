// Backward of attention_tensor.cl: with PASS 1 dq, by the kernel that owns queries; with PASS 2 dk and
// dv, by the one that owns keys.

#if PASS == 1

// Owns queries. dq is overwritten within the heads' columns.
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1)))
void attention_backward_query(PARAMETERS, ROWS_OF(dy),
                              const global float *log_sum_exp, long log_sum_exp_first,
                              const global float *delta, long delta_first,
                              global ELEMENT(RESULT_BF16) *dq, long dq_first, long dq_column,
                              int dq_stride, EXTENT_PARAMETERS) {
  WARP_STATE(warp);
  local ushort own[OWN * DEPTH] __attribute__((aligned(16)));
  local ushort own_dy[OWN * DEPTH] __attribute__((aligned(16)));
  local ushort blocks[STAGES * 2 * BLOCK * DEPTH] __attribute__((aligned(16)));
  int tile = get_num_groups(0) - 1 - get_group_id(0), h = get_group_id(1), heads = get_num_groups(1);
  ulong b = get_group_id(2), head = b * heads + h;
  int first = tile * OWN, count = min(OWN, queries - first);
  int lane = get_local_id(0) % WARP, mine = get_local_id(0) / WARP * 16 + lane / 4;
  q += q_first + b * q_batch + h * q_head;
  dy += dy_first + b * dy_batch + h * dy_head;
  k += k_first + b * k_batch + h * k_head;
  v += v_first + b * v_batch + h * v_head;
  dq += dq_first + dq_column + (b * queries + first) * dq_stride + h * D;
  ulong row = head * queries + first;
  int visible = PADDED ? min(keys, key_lengths[key_lengths_first + b]) : keys;
  int end = CAUSAL ? min(visible, first_query + first + count) : visible;

  int limit[2];
  float shift[2], mean[2], factor[2], sums[SUM_TILES][4];
  UNROLL for (int r = 0; r < 2; r++) {
    ulong from = row + min(mine + 8 * r, count - 1);
    limit[r] = CAUSAL ? min(visible, first_query + first + mine + 8 * r + 1) : visible;
    shift[r] = log_sum_exp[log_sum_exp_first + from] * LOG2_E;
    mean[r] = delta[delta_first + from];
    factor[r] = scale;
  }
  clear(sums);
  copy_rows(q, q_stride, first, OWN, queries, own, warp);
  copy_rows(dy, dy_stride, first, OWN, queries, own_dy, warp);
  for (int at = 0; at < end; at += BLOCK) {
    const local ushort *block =
        take_block(k, k_stride, v, v_stride, keys, 0, at, end, blocks, warp);
    float s[SCORE_TILES][4], slope[SCORE_TILES][4];
    multiply(own, block, s, warp);
    multiply(own_dy, block + BLOCK * DEPTH, slope, warp);
    EACH_SCORE {
      int column = at + 8 * j + 2 * (lane % 4) + e % 2;
      float weight = exp2(fma(s[j][e], scale * LOG2_E, -shift[e / 2]));
      if (DROPOUT)
        slope[j][e] *= keep_factor((row + mine + e / 2 * 8) * keys + column, DROPOUT_ARGUMENTS);
      s[j][e] = column < limit[e / 2] ? weight * (slope[j][e] - mean[e / 2]) : 0.0f;
    }
    accumulate(s, block, sums, warp);
  }
  store_rows(sums, factor, dq, dq_stride, count);
}

#else

// Owns keys and their values. dk and dv are overwritten within the heads' columns.
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1)))
void attention_backward_key(PARAMETERS, ROWS_OF(dy),
                            const global float *log_sum_exp, long log_sum_exp_first,
                            const global float *delta, long delta_first,
                            global ELEMENT(RESULT_BF16) *dk, long dk_first, long dk_column,
                            int dk_stride, int k_length, global ELEMENT(RESULT_BF16) *dv,
                            long dv_first, long dv_column, int dv_stride, int v_length,
                            EXTENT_PARAMETERS) {
  WARP_STATE(warp);
  local ushort own[OWN * DEPTH] __attribute__((aligned(16)));
  local ushort own_v[OWN * DEPTH] __attribute__((aligned(16)));
  local ushort blocks[STAGES * 2 * BLOCK * DEPTH] __attribute__((aligned(16)));
  int tile = get_group_id(0), h = get_group_id(1), heads = get_num_groups(1);
  ulong b = get_group_id(2), head = b * heads + h;
  int first = tile * OWN, count = min(OWN, keys - first);
  int lane = get_local_id(0) % WARP, mine = get_local_id(0) / WARP * 16 + lane / 4;
  q += q_first + b * q_batch + h * q_head;
  dy += dy_first + b * dy_batch + h * dy_head;
  k += k_first + b * k_batch + h * k_head;
  v += v_first + b * v_batch + h * v_head;
  dk += dk_first + dk_column + (b * k_length + first) * dk_stride + h * D;
  dv += dv_first + dv_column + (b * v_length + first) * dv_stride + h * D;
  ulong row = head * queries;
  log_sum_exp += log_sum_exp_first + row;
  delta += delta_first + row;
  int visible = PADDED ? min(keys, key_lengths[key_lengths_first + b]) : keys;
  // Queries before the first see none of these keys.
  int begin = CAUSAL ? max(0, first - first_query) : 0;
  if (first >= visible) begin = queries;

  float sums[SUM_TILES][4], sums_v[SUM_TILES][4], factor[2], one[2];
  UNROLL for (int r = 0; r < 2; r++) {
    factor[r] = scale;
    one[r] = 1.0f;
  }
  clear(sums);
  clear(sums_v);
  copy_rows(k, k_stride, first, OWN, keys, own, warp);
  copy_rows(v, v_stride, first, OWN, keys, own_v, warp);
  for (int at = begin; at < queries; at += BLOCK) {
    const local ushort *block =
        take_block(q, q_stride, dy, dy_stride, queries, begin, at, queries, blocks, warp);
    float s[SCORE_TILES][4], slope[SCORE_TILES][4];
    multiply(own, block, s, warp);
    multiply(own_v, block + BLOCK * DEPTH, slope, warp);
    EACH_SCORE {
      int column = at + 8 * j + 2 * (lane % 4) + e % 2, query = min(column, queries - 1);
      int key = first + mine + e / 2 * 8;
      int limit = CAUSAL ? min(visible, first_query + query + 1) : visible;
      float weight = exp2(fma(s[j][e], scale * LOG2_E, -log_sum_exp[query] * LOG2_E));
      weight = column < queries && key < limit ? weight : 0.0f;
      float keep = DROPOUT ? keep_factor((row + query) * keys + key, DROPOUT_ARGUMENTS) : 1.0f;
      s[j][e] = weight * keep;
      slope[j][e] = weight * (slope[j][e] * keep - delta[query]);
    }
    accumulate(s, block + BLOCK * DEPTH, sums_v, warp);
    accumulate(slope, block, sums, warp);
  }
  store_rows(sums, factor, dk, dk_stride, count);
  store_rows(sums_v, one, dv, dv_stride, count);
}

#endif
