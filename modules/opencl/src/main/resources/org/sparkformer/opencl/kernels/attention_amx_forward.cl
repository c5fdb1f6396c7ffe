// Forward of attention_amx.cl: the kernel owns queries.

#define LOWEST (-3.0e38f)

// A vector of columns over so many rows of scores, which become weights in pairs of rows.
//   largest, total  of each column before these rows and after
// Gives what earlier sums have to be multiplied with.
floatV softmax_columns(local float *scores, int rows, int open, intV limit, float scale,
                       ulong element, int keys, int key, local float *largest,
                       local float *total, local uint *weights, DROPOUT_PARAMETERS) {
  floatV before = LOAD(local, largest), highest = before;
  for (int r = 0; r < rows; r++) {
    floatV score = LOAD(local, scores + r * COLUMNS) * scale;
    if (r >= open) score = r < limit ? score : (floatV)(-INFINITY);
    STORE(local, scores + r * COLUMNS, score);
    highest = score > highest ? score : highest;
  }
  floatV factor = exponential(before - highest);
  floatV sum = LOAD(local, total) * factor;
  for (int r = 0; r < rows; r += 2) {
    floatV weight[2];
    UNROLL for (int i = 0; i < 2; i++) {
      weight[i] = exponential(LOAD(local, scores + (r + i) * COLUMNS) - highest);
      sum += weight[i];
      if (DROPOUT) weight[i] *= keep_factor(element + key + r + i, keys, DROPOUT_ARGUMENTS);
    }
    STORE_WORDS(weights + r / 2 * COLUMNS, pairs_across(weight[0], weight[1]));
  }
  STORE(local, largest, highest);
  STORE(local, total, sum);
  return factor;
}

kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void attention_forward(INPUT_PARAMETERS, global ELEMENT(Y_BF16) *y, long y_first,
                       global float *log_sum_exp, long log_sum_exp_first, EXTENT_PARAMETERS,
                       DROPOUT_PARAMETERS) {
  local uint own[D_WORDS * OWN], block[ROWS * D_WORDS], columns_v[DP * ROW_WORDS];
  local uint beside[(ROWS > OWN ? ROWS : OWN) * D_WORDS], weights[ROW_WORDS * COLUMNS];
  local float sums[DP * OWN], scores[ROWS * COLUMNS], largest[OWN], total[OWN];
  // The last queries see most keys: they go first, so that none waits long for the last group.
  int tile = get_num_groups(0) - 1 - get_group_id(0), h = get_group_id(1), heads = get_num_groups(1);
  ulong b = get_group_id(2);
  int first = tile * OWN, count = min(OWN, queries - first);
  q += q_first + q_column + (b * queries + first) * q_stride + h * D;
  k += k_first + k_column + b * k_length * k_stride + h * D;
  v += v_first + v_column + b * v_length * v_stride + h * D;
  y += y_first + ((b * queries + first) * heads + h) * D;
  ulong row = (b * heads + h) * queries + first;
  int visible = PADDED ? min(keys, key_lengths[key_lengths_first + b]) : keys;
  int end = CAUSAL ? min(visible, first_query + first + count) : visible;

  TILES_BEGIN();
  ROWS_TO_WORDS(QKV_BF16)(q, q_stride, count, OWN, beside);
  transpose_words(beside, D_WORDS, OWN, D_WORDS, own, OWN);
  clear(sums);
  for (int lane = 0; lane < OWN; lane += VW) {
    STORE(local, largest + lane, (floatV)(LOWEST));
    STORE(local, total + lane, (floatV)(0.0f));
  }
  for (int j0 = 0; j0 < end; j0 += ROWS) {
    int rows = min(ROWS, end - j0), padded = padded_rows(rows);
    ROWS_TO_WORDS(QKV_BF16)(k + (ulong)j0 * k_stride, k_stride, rows, padded, block);
    ROWS_TO_PAIRS(QKV_BF16)(v + (ulong)j0 * v_stride, v_stride, rows, padded, beside);
    transpose_words(beside, DP, padded / 2, DP, columns_v, ROW_WORDS);
    for (int at = 0; at < count; at += COLUMNS) {
      // Keys of the block that the last of these queries sees, and those that the first does.
      int position = first_query + first + at;
      int seen = CAUSAL ? min(rows, position + min(COLUMNS, count - at) - j0) : rows;
      int open = CAUSAL ? min(rows, position + 1 - j0) : rows;
      if (seen <= 0) continue;
      seen = padded_rows(seen);
      add_product(block, D_WORDS, seen, own + at, OWN, COLUMNS, D_WORDS, 1, scores, COLUMNS);
      floatV factor[COLUMNS / VW];
      EACH_VECTOR {
        int lane = n * VW;
        intV limit = CAUSAL ? position + lane + 1 - j0 + lane_numbers() : (intV)(rows);
        factor[n] = softmax_columns(scores + lane, seen, open, min(limit, (intV)(rows)), scale,
                                    (row + at + lane) * keys, keys, j0, largest + at + lane,
                                    total + at + lane, weights + lane, DROPOUT_ARGUMENTS);
      }
      for (int d = 0; d < DP; d++) EACH_VECTOR {
        local float *sum = sums + d * OWN + at + n * VW;
        STORE(local, sum, LOAD(local, sum) * factor[n]);
      }
      add_product(columns_v, ROW_WORDS, DP, weights, COLUMNS, COLUMNS, seen / 2, 0, sums + at, OWN);
    }
  }
  TILES_END();
  for (int lane = 0; lane < OWN; lane += VW) {
    floatV divisor = LOAD(local, total + lane);
    for (int d = 0; d < D; d++)
      STORE(local, sums + d * OWN + lane, LOAD(local, sums + d * OWN + lane) / divisor);
    store_part(log_sum_exp + log_sum_exp_first + row + lane,
               LOAD(local, largest + lane) + log(divisor), clamp(count - lane, 0, VW));
  }
  LANES_TO_ROWS(Y_BF16)(sums, y, heads * D, count);
}
