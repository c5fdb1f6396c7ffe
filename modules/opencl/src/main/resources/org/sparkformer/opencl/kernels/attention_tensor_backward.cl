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
  local ushort own[OWN * DEPTH] ALIGNED;
  local ushort own_dy[OWN * DEPTH] ALIGNED;
  local ushort blocks[STAGES * 2 * BLOCK * DEPTH] ALIGNED;
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
  // Blocks before this one need no mask, for no row.
  int seen = CAUSAL ? min(visible, first_query + first + 1) : visible;
  float base = scale * LOG2_E;
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
    start_scores(own, block, s, warp);
    start_scores(own_dy, block + BLOCK * DEPTH, slope, warp);
    wait_for_scores(1, s, warp);
    EACH_SCORE s[j][e] = exp2(fma(s[j][e], base, -shift[e / 2]));
    wait_for_scores(0, slope, warp);
    if (at + BLOCK > seen) {
      EACH_SCORE {
        int column = at + 8 * j + 2 * (lane % 4) + e % 2;
        s[j][e] = column < limit[e / 2] ? s[j][e] : 0.0f;
      }
    }
    EACH_SCORE {
      int column = at + 8 * j + 2 * (lane % 4) + e % 2;
      if (DROPOUT)
        slope[j][e] *= keep_factor((row + mine + e / 2 * 8) * keys + column, DROPOUT_ARGUMENTS);
      s[j][e] *= slope[j][e] - mean[e / 2];
    }
    start_sums(s, block, sums, warp);
    wait_for_sums(sums, warp);
  }
  store_rows(sums, factor, dq, dq_stride, count);
}

#else

// What the forward pass and attention_delta left of a block's queries, of which a lane has two that
// follow each other: the logarithm of the sum, in powers of 2, and delta.
typedef struct {
  float shift[2], mean[2];
} saved_t;

INLINE saved_t saved_of(const global float *log_sum_exp, const global float *delta, int at,
                        int queries) {
  saved_t saved;
  UNROLL for (int odd = 0; odd < 2; odd++) {
    int query = min(at + (int)get_local_id(0) % WARP * 2 + odd, queries - 1);
    saved.shift[odd] = log_sum_exp[query] * LOG2_E;
    saved.mean[odd] = delta[query];
  }
  return saved;
}

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
  local ushort own[OWN * DEPTH] ALIGNED;
  local ushort own_v[OWN * DEPTH] ALIGNED;
  local ushort blocks[STAGES * 2 * BLOCK * DEPTH] ALIGNED;
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
  // Blocks from this one on to the last whole one need no mask, unless keys are missing.
  int seen = CAUSAL ? first + OWN - 1 - first_query : 0;
  if (first + OWN > visible) seen = queries;
  float base = scale * LOG2_E;
  saved_t next = saved_of(log_sum_exp, delta, begin, queries);

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
    saved_t saved = next;
    next = saved_of(log_sum_exp, delta, at + BLOCK, queries);
    float s[SCORE_TILES][4], slope[SCORE_TILES][4];
    start_scores(own, block, s, warp);
    start_scores(own_v, block + BLOCK * DEPTH, slope, warp);
    wait_for_scores(1, s, warp);
    UNROLL for (int j = 0; j < SCORE_TILES; j++)
      UNROLL for (int odd = 0; odd < 2; odd++) {
        float shift = value_of_lane(saved.shift[odd], 4 * j + lane % 4, warp);
        s[j][odd] = exp2(fma(s[j][odd], base, -shift));
        s[j][2 + odd] = exp2(fma(s[j][2 + odd], base, -shift));
      }
    wait_for_scores(0, slope, warp);
    if (at < seen || at + BLOCK > queries) {
      EACH_SCORE {
        int column = at + 8 * j + 2 * (lane % 4) + e % 2, key = first + mine + e / 2 * 8;
        int limit = CAUSAL ? min(visible, first_query + column + 1) : visible;
        s[j][e] = column < queries && key < limit ? s[j][e] : 0.0f;
      }
    }
    UNROLL for (int j = 0; j < SCORE_TILES; j++)
      UNROLL for (int odd = 0; odd < 2; odd++) {
        float mean = value_of_lane(saved.mean[odd], 4 * j + lane % 4, warp);
        int query = min(at + 8 * j + 2 * (lane % 4) + odd, queries - 1);
        UNROLL for (int e = odd; e < 4; e += 2) {
          int key = first + mine + e / 2 * 8;
          float keep = DROPOUT ? keep_factor((row + query) * keys + key, DROPOUT_ARGUMENTS) : 1.0f;
          slope[j][e] = s[j][e] * (slope[j][e] * keep - mean);
          s[j][e] *= keep;
        }
      }
    start_sums(s, block + BLOCK * DEPTH, sums_v, warp);
    start_sums(slope, block, sums, warp);
    wait_for_sums(sums_v, warp);
    wait_for_sums(sums, warp);
  }
  store_rows(sums, factor, dk, dk_stride, count);
  store_rows(sums_v, one, dv, dv_stride, count);
}

#endif
