// Forward of attention.cl: the kernel owns queries.

#define LOWEST (-3.0e38f)

kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void attention_forward(INPUT_PARAMETERS, global ELEMENT(Y_BF16) *y, long y_first,
                       global float *log_sum_exp, long log_sum_exp_first, EXTENT_PARAMETERS,
                       DROPOUT_PARAMETERS) {
  local float own[DP * LANES], sums[DP * LANES], p[ROWS * LANES], block[ROWS * DP];
  // The last queries see most keys: they go first, so that none waits long for the last group.
  int tile = get_num_groups(0) - 1 - get_group_id(0), h = get_group_id(1), heads = get_num_groups(1);
  ulong b = get_group_id(2);
  int first = tile * LANES, count = min(LANES, queries - first);
  q += q_first + q_column + (b * queries + first) * q_stride + h * D;
  k += k_first + k_column + b * k_length * k_stride + h * D;
  v += v_first + v_column + b * v_length * v_stride + h * D;
  y += y_first + ((b * queries + first) * heads + h) * D;
  ulong row = (b * heads + h) * queries + first;
  int visible = PADDED ? min(keys, key_lengths[key_lengths_first + b]) : keys;
  int end = CAUSAL ? min(visible, first_query + first + count) : visible;
  int open = CAUSAL ? min(visible, first_query + first + 1) : visible;

  ROWS_TO_LANES(QKV_BF16)(q, q_stride, count, scale, own);
  clear(sums);
  intV limit[NV];
  floatV largest[NV], total[NV], factor[NV];
  EACH_VECTOR {
    limit[n] = CAUSAL ? first_query + first + n * VW + 1 + lane_numbers() : (intV)(keys);
    limit[n] = min(limit[n], (intV)(visible));
    largest[n] = (floatV)(LOWEST);
    total[n] = (floatV)(0.0f);
  }
  for (int j0 = 0; j0 < end; j0 += ROWS) {
    int rows = min(ROWS, end - j0), padded = padded_rows(rows);
    COPY_ROWS(QKV_BF16)(k + (ulong)j0 * k_stride, k_stride, rows, 1.0f, padded, DP, block);
    multiply(block, own, padded, p);
    COPY_ROWS(QKV_BF16)(v + (ulong)j0 * v_stride, v_stride, rows, 1.0f, padded, DP, block);
    EACH_VECTOR {
      floatV highest = largest[n];
      for (int r = 0; r < padded; r++) {
        floatV score = LOAD(local, p + r * LANES + n * VW);
        if (j0 + r >= open) {
          score = j0 + r < limit[n] ? score : (floatV)(-INFINITY);
          STORE(local, p + r * LANES + n * VW, score);
        }
        highest = score > highest ? score : highest;
      }
      factor[n] = exponential(largest[n] - highest);
      largest[n] = highest;
      floatV sum = total[n] * factor[n];
      for (int r = 0; r < padded; r++) {
        floatV weight = exponential(LOAD(local, p + r * LANES + n * VW) - highest);
        sum += weight;
        if (DROPOUT)
          weight *= keep_factor((row + n * VW) * keys + j0 + r, keys, DROPOUT_ARGUMENTS);
        STORE(local, p + r * LANES + n * VW, weight);
      }
      total[n] = sum;
    }
    accumulate(block, p, padded, factor, sums);
  }
  EACH_VECTOR {
    for (int d = 0; d < D; d++)
      STORE(local, sums + d * LANES + n * VW,
            LOAD(local, sums + d * LANES + n * VW) / total[n]);
    int here = clamp(count - n * VW, 0, VW);
    store_part(log_sum_exp + log_sum_exp_first + row + n * VW, largest[n] + log(total[n]), here);
  }
  LANES_TO_ROWS(Y_BF16)(sums, y, heads * D, count);
}
