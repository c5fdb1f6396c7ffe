// Forward of attention_gpu.cl: the kernel owns queries.

// The softmax of forward goes over scores row by row: PARTS items each, of SLICE columns.
#define PARTS (ITEMS / OWN)
#define SLICE (BLOCK / PARTS)

kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1)))
void attention_forward(INPUT_PARAMETERS, global ELEMENT(Y_BF16) *y, long y_first,
                       global float *log_sum_exp, long log_sum_exp_first, EXTENT_PARAMETERS,
                       DROPOUT_PARAMETERS) {
  local float own[OWN * STRIDE] __attribute__((aligned(16)));
  local float block[BLOCK * STRIDE] __attribute__((aligned(16)));
  local float scores[OWN * SCORE_STRIDE] __attribute__((aligned(16)));
  local float part_largest[ITEMS], part_total[ITEMS], row_factor[OWN];
  // The last queries see most keys: they go first, so that none waits long for the last group.
  int tile = get_num_groups(0) - 1 - get_group_id(0), h = get_group_id(1), heads = get_num_groups(1);
  ulong b = get_group_id(2);
  int first = tile * OWN, count = min(OWN, queries - first), item = get_local_id(0);
  q += q_first + q_column + (b * queries + first) * q_stride + h * D;
  k += k_first + k_column + b * k_length * k_stride + h * D;
  v += v_first + v_column + b * v_length * v_stride + h * D;
  y += y_first + ((b * queries + first) * heads + h) * D;
  ulong row = (b * heads + h) * queries + first;
  int visible = PADDED ? min(keys, key_lengths[key_lengths_first + b]) : keys;
  int end = CAUSAL ? min(visible, first_query + first + count) : visible;

  int mine = item / PARTS, part = item % PARTS * SLICE;
  int limit = CAUSAL ? min(visible, first_query + first + mine + 1) : visible;
  local float *slice = scores + mine * SCORE_STRIDE + part;
  float largest = -INFINITY, total = 0.0f;
  float4 sums[WORK][SHARE];
  clear(sums);
  COPY_ROWS(QKV_BF16)(q, q_stride, count, OWN, own);
  for (int j0 = 0; j0 < end; j0 += BLOCK) {
    float s[WORK][SPAN], factor[WORK];
    COPY_ROWS(QKV_BF16)(k + (ulong)j0 * k_stride, k_stride, end - j0, BLOCK, block);
    barrier(CLK_LOCAL_MEM_FENCE);
    multiply(own, block, s);
    store_scores(s, scores);
    barrier(CLK_LOCAL_MEM_FENCE);
    COPY_ROWS(QKV_BF16)(v + (ulong)j0 * v_stride, v_stride, end - j0, BLOCK, block);
    float highest = largest;
    for (int n = 0; n < SLICE; n++) {
      float score = j0 + part + n < limit ? slice[n] * (scale * LOG2_E) : -INFINITY;
      slice[n] = score;
      highest = fmax(highest, score);
    }
    part_largest[item] = highest;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int n = 0; n < PARTS; n++) highest = fmax(highest, part_largest[mine * PARTS + n]);
    // Every row sees key 0, which lies in the first block, so that the highest is finite.
    float shrink = exp2(largest - highest), sum = 0.0f;
    largest = highest;
    for (int n = 0; n < SLICE; n++) {
      float weight = exp2(slice[n] - highest);
      sum += weight;
      if (DROPOUT)
        weight *= keep_factor((row + mine) * keys + j0 + part + n, DROPOUT_ARGUMENTS);
      slice[n] = weight;
    }
    part_total[item] = sum;
    row_factor[mine] = shrink;
    barrier(CLK_LOCAL_MEM_FENCE);
    total *= shrink;
    for (int n = 0; n < PARTS; n++) total += part_total[mine * PARTS + n];
    EACH_ROW factor[i] = row_factor[item / ACROSS + DOWN * i];
    EACH_ROW UNROLL for (int n = 0; n < SHARE; n++) sums[i][n] *= factor[i];
    accumulate(scores, block, sums);
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  row_factor[mine] = 1.0f / total;
  if (mine < count && part == 0)
    log_sum_exp[log_sum_exp_first + row + mine] = (largest + log2(total)) * LN_2;
  barrier(CLK_LOCAL_MEM_FENCE);
  float factor[WORK];
  EACH_ROW factor[i] = row_factor[item / ACROSS + DOWN * i];
  store_rows(sums, factor, y, heads * D, count);
}
