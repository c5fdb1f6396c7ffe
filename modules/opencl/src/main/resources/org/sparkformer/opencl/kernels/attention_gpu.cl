// Scaled dot-product attention, forward and backward, for processors with many threads and fast
// local memory. fp32. Tensors, their types in memory, masks and arguments as in attention.cl.
//
// Algorithm: FlashAttention-2 (Dao, arXiv:2307.08691, algorithms 1 and 2). A work-group of 128 items
// owns OWN = 16 WORK queries of a head (or, for the gradients of keys and values, keys) and goes over
// the others in blocks of BLOCK. One kernel owns queries and one owns keys, which both compute the
// probabilities again: no atomics, one fixed order of summation.
//
// Item (r, c), of 16 x 8, has rows r, r + 16, ... of what the group owns; of scores it computes
// WORK x BLOCK / 8, with columns c, c + 8, ...; of sums [OWN, D] vectors of 4 with numbers c, c + 8,
// ... So the 32 items of a warp read 4 rows of one operand and 8 of the other, in vectors of 4 whose
// rows lie an odd number of vectors apart, without bank conflicts.
//
// Scores are in powers of 2: p = exp2(s scale log2(e) - ...), as GPUs have that exponential.
//
// Tunables: WORK, 1, 2 or 4, and BLOCK, 16 or 32, at most, for local memory has to suffice. They
// change last bits, which so depend on the device's kind. PASS says which kernels are wanted,
// as a program does not build where one of its kernels has too much local memory: 0 forward, 1
// backward by query, 2 backward by key.

#ifndef PASS
#define PASS 0
#endif
#ifndef WORK
#define WORK 2
#endif
#ifndef BLOCK
#define BLOCK 32
#endif
#ifndef CAUSAL
#define CAUSAL 0
#endif
#ifndef PADDED
#define PADDED 0
#endif
#ifndef DROPOUT
#define DROPOUT 0
#endif
#ifndef QKV_BF16
#define QKV_BF16 0
#endif
#ifndef Y_BF16
#define Y_BF16 0
#endif

#define UNROLL _Pragma("unroll")
// Arrays of an item that are passed to a function stay in registers only where it is inlined.
#define INLINE __attribute__((always_inline))
#define EACH_ROW UNROLL for (int i = 0; i < WORK; i++)

#include "dropout.cl"
#include "elements.cl"

#define ITEMS 128
#define DOWN 16
#define ACROSS 8
#define OWN (DOWN * WORK)
#define SPAN (BLOCK / ACROSS)
// Vectors of 4 in a row; and from one row to the next, odd numbers of them.
#define VECTORS ((D + 3) / 4)
#define STRIDE (4 * (VECTORS | 1))
#define SCORE_STRIDE (4 * (BLOCK / 4 | 1))
// Vectors of sums that an item has at most.
#define SHARE ((VECTORS + ACROSS - 1) / ACROSS)

#define LOG2_E 1.44269504f
#define LN_2 0.693147181f

// Queries, keys and values, each a matrix and the column in it of head 0.
#define INPUT_PARAMETERS                                                                        \
  const global ELEMENT(QKV_BF16) *q, long q_first, long q_column,                               \
      const global ELEMENT(QKV_BF16) *k, long k_first, long k_column,                           \
      const global ELEMENT(QKV_BF16) *v, long v_first, long v_column,                           \
      const global int *key_lengths, long key_lengths_first
// k_length and v_length: rows of a sequence in the matrices of keys and values.
#define EXTENT_PARAMETERS                                                                       \
  int queries, int keys, int first_query, int q_stride, int k_stride, int v_stride,             \
      int k_length, int v_length, float scale

// count rows of D elements to [padded][STRIDE], 0 elsewhere.
#define DEFINE_COPY_ROWS(bf16)                                                                   \
  INLINE void copy_rows##bf16(const global element##bf16 *source, ulong stride, int count,       \
                              int padded, local float *rows) {                                   \
    for (int at = get_local_id(0); at < padded * 4 * VECTORS; at += ITEMS) {                     \
      int row = at / (4 * VECTORS), d = at % (4 * VECTORS);                                      \
      rows[row * STRIDE + d] =                                                                   \
          row < count && d < D ? value##bf16(source[row * stride + d]) : 0.0f;                   \
    }                                                                                            \
  }

DEFINE_COPY_ROWS(0)
DEFINE_COPY_ROWS(1)
#define COPY_ROWS(bf16) BY_TYPE(copy_rows, bf16)

// s[i][j] = own row r + 16 i times block's row c + 8 j, over rising d.
INLINE void multiply(const local float *own, const local float *block, float s[WORK][SPAN]) {
  const local float *x = own + get_local_id(0) / ACROSS * STRIDE;
  const local float *y = block + get_local_id(0) % ACROSS * STRIDE;
  EACH_ROW UNROLL for (int j = 0; j < SPAN; j++) s[i][j] = 0.0f;
  for (int d = 0; d < 4 * VECTORS; d += 4) {
    float4 a[WORK], b[SPAN];
    EACH_ROW a[i] = *(const local float4 *)(x + DOWN * i * STRIDE + d);
    UNROLL for (int j = 0; j < SPAN; j++)
        b[j] = *(const local float4 *)(y + ACROSS * j * STRIDE + d);
    EACH_ROW UNROLL for (int j = 0; j < SPAN; j++) {
      s[i][j] = fma(a[i].s0, b[j].s0, s[i][j]);
      s[i][j] = fma(a[i].s1, b[j].s1, s[i][j]);
      s[i][j] = fma(a[i].s2, b[j].s2, s[i][j]);
      s[i][j] = fma(a[i].s3, b[j].s3, s[i][j]);
    }
  }
}

// sums[i] += the sum over rising b of weights[r + 16 i][b] block[b], of this item's vectors.
INLINE void accumulate(const local float *weights, const local float *block,
                       float4 sums[WORK][SHARE]) {
  const local float *w = weights + get_local_id(0) / ACROSS * SCORE_STRIDE;
  for (int b = 0; b < BLOCK; b += 4) {
    float4 a[WORK];
    EACH_ROW a[i] = *(const local float4 *)(w + DOWN * i * SCORE_STRIDE + b);
    UNROLL for (int n = 0; n < SHARE; n++) {
      // Beyond the row's end the last vector serves; its sums are not stored.
      int vector = min((int)(get_local_id(0) % ACROSS) + ACROSS * n, VECTORS - 1);
      const local float *y = block + b * STRIDE + 4 * vector;
      float4 y0 = *(const local float4 *)y, y1 = *(const local float4 *)(y + STRIDE);
      float4 y2 = *(const local float4 *)(y + 2 * STRIDE);
      float4 y3 = *(const local float4 *)(y + 3 * STRIDE);
      EACH_ROW {
        sums[i][n] = fma((float4)(a[i].s0), y0, sums[i][n]);
        sums[i][n] = fma((float4)(a[i].s1), y1, sums[i][n]);
        sums[i][n] = fma((float4)(a[i].s2), y2, sums[i][n]);
        sums[i][n] = fma((float4)(a[i].s3), y3, sums[i][n]);
      }
    }
  }
}

INLINE void clear(float4 sums[WORK][SHARE]) {
  EACH_ROW UNROLL for (int n = 0; n < SHARE; n++) sums[i][n] = (float4)(0.0f);
}

INLINE void store_scores(float s[WORK][SPAN], local float *scores) {
  local float *target =
      scores + get_local_id(0) / ACROSS * SCORE_STRIDE + get_local_id(0) % ACROSS;
  EACH_ROW UNROLL for (int j = 0; j < SPAN; j++)
      target[DOWN * i * SCORE_STRIDE + ACROSS * j] = s[i][j];
}

// The first count rows, each times its factor.
#if PASS == 0
#define RESULT_BF16 Y_BF16
#else
#define RESULT_BF16 0
#endif
INLINE void store_rows(float4 sums[WORK][SHARE], const float *factor,
                       global ELEMENT(RESULT_BF16) *target, ulong stride, int count) {
  EACH_ROW UNROLL for (int n = 0; n < SHARE; n++) {
    int row = get_local_id(0) / ACROSS + DOWN * i;
    int d = 4 * (get_local_id(0) % ACROSS + ACROSS * n);
    float4 x = sums[i][n] * factor[i];
    global ELEMENT(RESULT_BF16) *at = target + row * stride + d;
    if (row < count) {
      if (d < D) at[0] = ELEMENT_OF(RESULT_BF16, x.s0);
      if (d + 1 < D) at[1] = ELEMENT_OF(RESULT_BF16, x.s1);
      if (d + 2 < D) at[2] = ELEMENT_OF(RESULT_BF16, x.s2);
      if (d + 3 < D) at[3] = ELEMENT_OF(RESULT_BF16, x.s3);
    }
  }
}

#if PASS == 0

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

#elif PASS == 1

// delta[row] = sum over d of dy y, for rows of [B, heads, Tq]; a group takes DOWN queries of a head.
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1)))
void attention_delta(const global ELEMENT(Y_BF16) *y, long y_first, const global float *dy,
                     long dy_first, global float *delta, long delta_first, int queries) {
  local float parts[ITEMS];
  int h = get_group_id(1), heads = get_num_groups(1), item = get_local_id(0);
  int i = get_group_id(0) * DOWN + item / ACROSS;
  ulong b = get_group_id(2);
  ulong at = ((b * queries + i) * heads + h) * D;
  float sum = 0.0f;
  for (int d = item % ACROSS; d < D && i < queries; d += ACROSS)
    sum = fma(VALUE(Y_BF16, y[y_first + at + d]), dy[dy_first + at + d], sum);
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
    global float *dq, long dq_first, long dq_column, EXTENT_PARAMETERS, DROPOUT_PARAMETERS) {
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
    global float *dk, long dk_first, long dk_column, global float *dv, long dv_first,
    long dv_column, EXTENT_PARAMETERS, DROPOUT_PARAMETERS) {
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
