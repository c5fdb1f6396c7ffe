// Forward of attention_amx.cl: the kernel owns queries.

#define LOWEST (-3.0e38f)

// A vector of columns over so many rows of scores, which become weights in pairs of rows.
//   largest, total  of each column before these rows and after
// Gives what earlier sums have to be multiplied with.
floatV softmax_columns(local float *scores, int rows, int open, intV limit, float scale,
                       ulong element, int keys, int key, local float *largest,
                       local float *total, local uint *weights, DROPOUT_PARAMETERS) {
  floatV before = LOAD(local, largest), most[4];
  UNROLL for (int i = 0; i < 4; i++) most[i] = (floatV)(LOWEST);
  for (int r = 0; r < rows; r += 4)
    UNROLL for (int i = 0; i < 4; i++) {
      local float *at = scores + (r + i) * COLUMNS;
      floatV score = LOAD(local, at);
      if (r + i >= open) {
        score = r + i < limit ? score : (floatV)(-INFINITY);
        STORE(local, at, score);
      }
      most[i] = score > most[i] ? score : most[i];
    }
  UNROLL for (int i = 1; i < 4; i++) most[0] = most[i] > most[0] ? most[i] : most[0];
  floatV highest = most[0] * scale;
  highest = highest > before ? highest : before;
  floatV factor = exponential(before - highest);
  floatV sum = LOAD(local, total) * factor;
  for (int r = 0; r < rows; r += 2) {
    floatV weight[2];
    UNROLL for (int i = 0; i < 2; i++) {
      floatV score = LOAD(local, scores + (r + i) * COLUMNS);
      weight[i] = exponential(fma(score, (floatV)(scale), -highest));
      sum += weight[i];
      if (DROPOUT) weight[i] *= keep_factor(element + key + r + i, keys, DROPOUT_ARGUMENTS);
    }
    store_row(weights + ROW_ACROSS(r), row_across(weight[0], weight[1]));
  }
  STORE(local, largest, highest);
  STORE(local, total, sum);
  return factor;
}

kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void attention_forward(INPUT_PARAMETERS, const global uint *ready_k, long ready_k_first,
                       local uint *held_k, const global uint *ready_v, long ready_v_first,
                       local uint *held_v, global ELEMENT(Y_BF16) *y, long y_first,
                       global float *log_sum_exp, long log_sum_exp_first, EXTENT_PARAMETERS,
                       DROPOUT_PARAMETERS) {
  local uint own[PANELS(OWN)] ALIGNED, weights[ROWS / 32 * SQUARE] ALIGNED;
  local float sums[DP * OWN], scores[ROWS * COLUMNS], largest[OWN], total[OWN];
  int h = get_group_id(1), heads = get_num_groups(1);
  ulong b = get_group_id(2), head = b * heads + h;
  q += q_first + q_column + b * queries * q_stride + h * D;
  y += y_first + (b * queries * heads + h) * D;
  log_sum_exp += log_sum_exp_first + head * queries;
  int visible = PADDED ? min(keys, key_lengths[key_lengths_first + b]) : keys;

  TILES_BEGIN();
#if READY
  ulong first_panel = head * PANELS(padded_rows(keys));
  ulong panels_k = (ulong)(ready_k + ready_k_first + first_panel);
  ulong panels_v = (ulong)(ready_v + ready_v_first + first_panel);
#else
  k += k_first + k_column + b * k_length * k_stride + h * D;
  v += v_first + v_column + b * v_length * v_stride + h * D;
  ulong panels_k = (ulong)held_k, panels_v = (ulong)held_v;
  COPY_PANELS(QKV_BF16)(k, k_stride, 0, 0, visible, D, panels_k, 32 * WORDS(D));
  COPY_PANELS(QKV_BF16)(v, v_stride, 1, 1, D, visible, panels_v, 32 * WORDS(keys));
#endif
  // The last queries see most keys: they go first, so that none waits long for the last group.
  int tiles = (queries + OWN - 1) / OWN;
  for (int tile = tiles - 1 - get_group_id(0); tile >= 0; tile -= get_num_groups(0)) {
    int first = tile * OWN, count = min(OWN, queries - first);
    ulong row = head * queries + first;
    int end = CAUSAL ? min(visible, first_query + first + count) : visible;
    COPY_PANELS(QKV_BF16)(q + (ulong)first * q_stride, q_stride, 0, 1, count, D, (ulong)own,
                          32 * WORDS(D));
    clear(sums);
    for (int lane = 0; lane < OWN; lane += VW) {
      STORE(local, largest + lane, (floatV)(LOWEST));
      STORE(local, total + lane, (floatV)(0.0f));
    }
    for (int j0 = 0; j0 < end; j0 += ROWS) {
      int rows = min(ROWS, end - j0);
      for (int at = 0; at < count; at += COLUMNS) {
        // Keys of the block that the last of these queries sees, and those that the first does.
        int position = first_query + first + at;
        int seen = CAUSAL ? min(rows, position + min(COLUMNS, count - at) - j0) : rows;
        int open = CAUSAL ? min(rows, position + 1 - j0) : rows;
        if (seen <= 0) continue;
        seen = padded_rows(seen);
        for (int r = 0; r < seen; r += 32)
          add_panels(panels_k + (ulong)(j0 + r) * WORDS(D) * 4, (ulong)(own + at * WORDS(D)), WORDS(D),
                     0, 0, 1, (ulong)(scores + r * COLUMNS), COLUMN_BYTES);
        floatV factor[COLUMNS / VW];
        EACH_VECTOR {
          int lane = n * VW;
          intV limit = CAUSAL ? position + lane + 1 - j0 + lane_numbers() : (intV)(rows);
          factor[n] = softmax_columns(scores + lane, seen, open, min(limit, (intV)(rows)), scale,
                                      (row + at + lane) * keys, keys, j0, largest + at + lane,
                                      total + at + lane, weights + n * REGISTER, DROPOUT_ARGUMENTS);
        }
        for (int d = 0; d < DP; d++) EACH_VECTOR {
          local float *sum = sums + d * OWN + at + n * VW;
          STORE(local, sum, LOAD(local, sum) * factor[n]);
        }
        for (int d = 0; d < DP; d += 32) {
          ulong sum = (ulong)(sums + d * OWN + at);
          add_panels(panels_v + ((ulong)d * WORDS(keys) + j0 / 32 * SQUARE) * 4, (ulong)weights,
                     WORDS(seen), sum, OWN_BYTES, 0, sum, OWN_BYTES);
        }
      }
    }
    for (int lane = 0; lane < OWN; lane += VW) {
      floatV divisor = LOAD(local, total + lane);
      for (int d = 0; d < D; d++)
        STORE(local, sums + d * OWN + lane, LOAD(local, sums + d * OWN + lane) / divisor);
      store_part(log_sum_exp + first + lane, LOAD(local, largest + lane) + log(divisor),
                 clamp(count - lane, 0, VW));
    }
    LANES_TO_ROWS(Y_BF16)(sums, y + (ulong)first * heads * D, heads * D, count);
  }
  TILES_END();
}
