// Forward of attention_tensor.cl: the kernel owns queries.

kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1)))
void attention_forward(PARAMETERS, global ELEMENT(Y_BF16) *y, long y_first,
                       global float *log_sum_exp, long log_sum_exp_first, EXTENT_PARAMETERS) {
  WARP_STATE(warp);
  local ushort own[OWN * DEPTH] ALIGNED;
  local ushort blocks[STAGES * 2 * BLOCK * DEPTH] ALIGNED;
  // The last queries see most keys: they go first, so that none waits long for the last group.
  int tile = get_num_groups(0) - 1 - get_group_id(0), h = get_group_id(1), heads = get_num_groups(1);
  ulong b = get_group_id(2), head = b * heads + h;
  int first = tile * OWN, count = min(OWN, queries - first);
  int lane = get_local_id(0) % WARP, mine = get_local_id(0) / WARP * 16 + lane / 4;
  q += q_first + b * q_batch + h * q_head;
  k += k_first + b * k_batch + h * k_head;
  v += v_first + b * v_batch + h * v_head;
  y += y_first + ((b * queries + first) * heads + h) * D;
  ulong row = head * queries + first;
  int visible = PADDED ? min(keys, key_lengths[key_lengths_first + b]) : keys;
  int end = CAUSAL ? min(visible, first_query + first + count) : visible;

  int limit[2];
  // Blocks before this one need no mask, for no row.
  int seen = CAUSAL ? min(visible, first_query + first + 1) : visible;
  float base = scale * LOG2_E, largest[2], total[2], sums[SUM_TILES][4];
  UNROLL for (int r = 0; r < 2; r++) {
    limit[r] = CAUSAL ? min(visible, first_query + first + mine + 8 * r + 1) : visible;
    largest[r] = -INFINITY;
    total[r] = 0.0f;
  }
  clear(sums);
  copy_rows(q, q_stride, first, OWN, queries, own, warp);
  for (int at = 0; at < end; at += BLOCK) {
    const local ushort *block =
        take_block(k, k_stride, v, v_stride, keys, 0, at, end, blocks, warp);
    float s[SCORE_TILES][4], highest[2], shrink[2];
    start_scores(own, block, s, warp);
    wait_for_scores(0, s, warp);
    if (at + BLOCK > seen) {
      EACH_SCORE {
        int column = at + 8 * j + 2 * (lane % 4) + e % 2;
        s[j][e] = column < limit[e / 2] ? s[j][e] : -INFINITY;
      }
    }
    UNROLL for (int r = 0; r < 2; r++) highest[r] = -INFINITY;
    EACH_SCORE highest[e / 2] = fmax(highest[e / 2], s[j][e]);
    UNROLL for (int r = 0; r < 2; r++) {
      highest[r] = fmax(highest[r], exchange_lanes(highest[r], 1, warp));
      highest[r] = fmax(highest[r], exchange_lanes(highest[r], 2, warp));
      // Every row sees key 0, which lies in the first block, so that the highest is finite.
      highest[r] = fmax(largest[r], highest[r] * base);
      shrink[r] = exp2(largest[r] - highest[r]);
      largest[r] = highest[r];
      total[r] *= shrink[r];
    }
    EACH_SCORE {
      float weight = exp2(fma(s[j][e], base, -highest[e / 2]));
      total[e / 2] += weight;
      int column = at + 8 * j + 2 * (lane % 4) + e % 2;
      if (DROPOUT)
        weight *= keep_factor((row + mine + e / 2 * 8) * keys + column, DROPOUT_ARGUMENTS);
      s[j][e] = weight;
    }
    UNROLL for (int d = 0; d < SUM_TILES; d++)
      UNROLL for (int e = 0; e < 4; e++) sums[d][e] *= shrink[e / 2];
    start_sums(s, block + BLOCK * DEPTH, sums, warp);
    wait_for_sums(sums, warp);
  }
  float factor[2];
  UNROLL for (int r = 0; r < 2; r++) {
    total[r] += exchange_lanes(total[r], 1, warp);
    total[r] += exchange_lanes(total[r], 2, warp);
    factor[r] = 1.0f / total[r];
    if (lane % 4 == 0 && mine + 8 * r < count)
      log_sum_exp[log_sum_exp_first + row + mine + 8 * r] = (largest[r] + log2(total[r])) * LN_2;
  }
  store_rows(sums, factor, y, heads * D, count);
}
