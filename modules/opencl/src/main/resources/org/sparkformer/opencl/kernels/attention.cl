// Scaled dot-product attention, forward and backward, for processors with vector units and caches.
// fp32, but queries, keys and values in memory are bf16 with QKV_BF16, and y with Y_BF16. Memory
// linear in the sequence length.
//
// y = softmax(mask(q k^T scale)) v for each sequence b and head h. Queries [B, Tq, heads, D], keys
// and values [B, Tk, heads, D], each row apart from the next by its own stride, so that the packed
// [B T, 3 C] matrix is read in place; y and dy [B Tq, heads D]; logSumExp and delta [B, heads, Tq].
// Key j is visible to query i where j < key_lengths[b] (with PADDED) and j <= first_query + i (with
// CAUSAL). Backward overwrites dq, dk and dv within the heads' columns. All outputs are overwritten.
//
// Algorithm: online softmax as in Dao, arXiv:2307.08691, algorithms 1 and 2. Backward, without
// atomics and in one fixed order of summation, either as one kernel that owns keys and one that owns
// queries, which both compute the probabilities; or, with WHOLE, as one kernel that owns a head's
// every key and computes them once. Both give the same bits: each element of dq is one chain of
// fused multiply-adds over rising keys, from the same products.
//
// A work-group of one work-item owns LANES = NV VW queries (or keys), one a vector lane, and goes
// over blocks of ROWS keys (or queries). Own vectors lie transposed in local memory, [D][LANES];
// those of the block as rows, [ROWS][D]. Then both products, scores [ROWS][LANES] and sums
// [D][LANES], take vectors from one operand and single elements from the other, tiles of 8 x NV
// vectors live in registers, and the softmax runs down the lanes without any reduction across them.
//
// D is the head size. Tunables: VW vector width; NV vectors of lanes; ROWS of a block, a multiple
// of 8.

#include "vector.cl"

#ifndef NV
#define NV 2
#endif
#ifndef ROWS
#define ROWS 32
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
#ifndef WHOLE
#define WHOLE 0
#endif
#ifndef QKV_BF16
#define QKV_BF16 0
#endif
#ifndef Y_BF16
#define Y_BF16 0
#endif

#define TILE 8
#define DP ((D + TILE - 1) / TILE * TILE)
#define LANES (NV * VW)
// The vectors of D elements that one pass over dq takes, and D in whole passes.
#define PASS 2
#define DW ((D + PASS * VW - 1) / (PASS * VW) * (PASS * VW))
#define EACH_ROW UNROLL for (int i = 0; i < TILE; i++)
#define EACH_VECTOR UNROLL for (int v = 0; v < NV; v++)
#define LOWEST (-3.0e38f)
#define LOW 0xFFFFFFFFul

#define ulongV PASTE(ulong, VW)
#define uintV PASTE(uint, VW)
#define convert_uintV PASTE(convert_uint, VW)

// Queries, keys and values, each a matrix and the column in it of head 0.
#define INPUT_PARAMETERS                                                                        \
  const global ELEMENT(QKV_BF16) *q, long q_first, long q_column,                               \
      const global ELEMENT(QKV_BF16) *k, long k_first, long k_column,                           \
      const global ELEMENT(QKV_BF16) *v_, long v_first, long v_column,                          \
      const global int *key_lengths, long key_lengths_first
// k_length and v_length: rows of a sequence in the matrices of keys and values.
#define EXTENT_PARAMETERS                                                                       \
  int queries, int keys, int first_query, int q_stride, int k_stride, int v_stride,             \
      int k_length, int v_length, float scale

// Arguments of dropout; see the operation for the counter's layout.
#define DROPOUT_PARAMETERS \
  long first_element, long threshold, float keep_scale, int seed_low, int seed_high, int site, int step
#define DROPOUT_ARGUMENTS first_element, threshold, keep_scale, seed_low, seed_high, site, step

// What a kept probability is multiplied with, 0 for a dropped one: Philox4x32-10 (Salmon et al.,
// SC 2011) of the elements first, first + between, ... The counter's 32-bit words sit in 64-bit
// lanes, whose upper halves are ignored: one product gives both halves that a round needs.
floatV keep_factor(ulong first, ulong between, DROPOUT_PARAMETERS) {
  ulong numbers[VW];
  UNROLL for (int lane = 0; lane < VW; lane++)
      numbers[lane] = first_element + first + lane * between;
  ulongV e = PASTE(vload, VW)(0, numbers);
  ulongV c0 = e >> 2, c1 = e >> 34, c2 = (ulongV)((uint)site), c3 = (ulongV)((uint)step);
  uint k0 = seed_low, k1 = seed_high;
  for (int round = 0; round < 10; round++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
    ulongV product0 = (c0 & LOW) * 0xD2511F53ul, product1 = (c2 & LOW) * 0xCD9E8D57ul;
    c0 = (product1 >> 32) ^ c1 ^ (ulong)k0;
    c2 = (product0 >> 32) ^ c3 ^ (ulong)k1;
    c1 = product1;
    c3 = product0;
  }
  ulongV pair = (e & 2ul) == 0ul ? ((e & 1ul) == 0ul ? c0 : c1) : ((e & 1ul) == 0ul ? c2 : c3);
  return convert_uintV(pair & LOW) >= (uintV)((uint)threshold) ? (floatV)(keep_scale)
                                                               : (floatV)(0.0f);
}

// The numbers 0, 1, ... of a vector's lanes.
intV lane_numbers() {
  int numbers[VW];
  UNROLL for (int lane = 0; lane < VW; lane++) numbers[lane] = lane;
  return PASTE(vload, VW)(0, numbers);
}

#define BF16 0
#include "attention_rows.cl"
#undef BF16
#define BF16 1
#include "attention_rows.cl"
#undef BF16
#define ROWS_TO_LANES(bf16) BY_TYPE(rows_to_lanes, bf16)
#define LANES_TO_ROWS(bf16) BY_TYPE(lanes_to_rows, bf16)
#define COPY_ROWS(bf16) BY_TYPE(copy_rows, bf16)

// products[r][lane] = sum over d of rows[r][d] lanes[d][lane].
void multiply(const local float *rows, const local float *lanes, int padded,
              local float *products) {
  for (int r = 0; r < padded; r += TILE) {
    floatV sum[TILE][NV];
    EACH_ROW EACH_VECTOR sum[i][v] = (floatV)(0.0f);
    for (int d = 0; d < D; d++) {
      floatV x[NV];
      EACH_VECTOR x[v] = LOAD(local, lanes + d * LANES + v * VW);
      EACH_ROW EACH_VECTOR sum[i][v] = fma((floatV)(rows[(r + i) * DP + d]), x[v], sum[i][v]);
    }
    EACH_ROW EACH_VECTOR STORE(local, products + (r + i) * LANES + v * VW, sum[i][v]);
  }
}

// sums[d][lane] = sums[d][lane] factor[lane] + sum over r of rows[r][d] weights[r][lane].
void accumulate(const local float *rows, const local float *weights, int padded,
                const floatV *factor, local float *sums) {
  for (int d = 0; d < DP; d += TILE) {
    floatV sum[TILE][NV];
    EACH_ROW EACH_VECTOR sum[i][v] = LOAD(local, sums + (d + i) * LANES + v * VW) * factor[v];
    for (int r = 0; r < padded; r++) {
      floatV x[NV];
      EACH_VECTOR x[v] = LOAD(local, weights + r * LANES + v * VW);
      EACH_ROW EACH_VECTOR sum[i][v] = fma((floatV)(rows[r * DP + d + i]), x[v], sum[i][v]);
    }
    EACH_ROW EACH_VECTOR STORE(local, sums + (d + i) * LANES + v * VW, sum[i][v]);
  }
}

// dq[r][d] += sum over lane of slopes[r][lane] keys[lane][d], for count rows of D elements.
void add_to_queries(const local float *slopes, const local float *keys, int lanes, int count,
                    ulong stride, global float *dq) {
  for (int r = 0; r < count; r += TILE)
    for (int d = 0; d < D; d += PASS * VW) {
      floatV sum[TILE][PASS];
      EACH_ROW UNROLL for (int v = 0; v < PASS; v++) {
        int here = r + i < count ? D - d - v * VW : 0;
        sum[i][v] = load_up_to(dq + (r + i) * stride + d + v * VW, max(here, 0));
      }
      for (int lane = 0; lane < lanes; lane++) {
        floatV x[PASS];
        UNROLL for (int v = 0; v < PASS; v++) x[v] = LOAD(local, keys + lane * DW + d + v * VW);
        EACH_ROW UNROLL for (int v = 0; v < PASS; v++)
            sum[i][v] = fma((floatV)(slopes[(r + i) * LANES + lane]), x[v], sum[i][v]);
      }
      EACH_ROW UNROLL for (int v = 0; v < PASS; v++) {
        int here = r + i < count ? clamp(D - d - v * VW, 0, VW) : 0;
        global float *target = dq + (r + i) * stride + d + v * VW;
        if (here == VW) STORE(global, target, sum[i][v]);
        else store_part(target, sum[i][v], here);
      }
    }
}

// x = x factor, for count rows of D elements.
void scale_rows(global float *x, ulong stride, int count, float factor) {
  for (int row = 0; row < count; row++, x += stride) {
    int d = 0;
    for (; d + VW <= D; d += VW) STORE(global, x + d, LOAD(global, x + d) * factor);
    for (; d < D; d++) x[d] *= factor;
  }
}

void clear_rows(global float *x, ulong stride, int count) {
  for (int row = 0; row < count; row++, x += stride)
    for (int d = 0; d < D; d++) x[d] = 0.0f;
}

void clear(local float *sums) {
  for (int at = 0; at < DP * LANES; at += VW) STORE(local, sums + at, (floatV)(0.0f));
}

int padded_rows(int count) { return (count + TILE - 1) / TILE * TILE; }

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
  v_ += v_first + v_column + b * v_length * v_stride + h * D;
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
    limit[v] = CAUSAL ? first_query + first + v * VW + 1 + lane_numbers() : (intV)(keys);
    limit[v] = min(limit[v], (intV)(visible));
    largest[v] = (floatV)(LOWEST);
    total[v] = (floatV)(0.0f);
  }
  for (int j0 = 0; j0 < end; j0 += ROWS) {
    int rows = min(ROWS, end - j0), padded = padded_rows(rows);
    COPY_ROWS(QKV_BF16)(k + (ulong)j0 * k_stride, k_stride, rows, 1.0f, padded, DP, block);
    multiply(block, own, padded, p);
    COPY_ROWS(QKV_BF16)(v_ + (ulong)j0 * v_stride, v_stride, rows, 1.0f, padded, DP, block);
    EACH_VECTOR {
      floatV highest = largest[v];
      for (int r = 0; r < padded; r++) {
        floatV score = LOAD(local, p + r * LANES + v * VW);
        if (j0 + r >= open) {
          score = j0 + r < limit[v] ? score : (floatV)(-INFINITY);
          STORE(local, p + r * LANES + v * VW, score);
        }
        highest = score > highest ? score : highest;
      }
      factor[v] = exponential(largest[v] - highest);
      largest[v] = highest;
      floatV sum = total[v] * factor[v];
      for (int r = 0; r < padded; r++) {
        floatV weight = exponential(LOAD(local, p + r * LANES + v * VW) - highest);
        sum += weight;
        if (DROPOUT)
          weight *= keep_factor((row + v * VW) * keys + j0 + r, keys, DROPOUT_ARGUMENTS);
        STORE(local, p + r * LANES + v * VW, weight);
      }
      total[v] = sum;
    }
    accumulate(block, p, padded, factor, sums);
  }
  EACH_VECTOR {
    for (int d = 0; d < D; d++)
      STORE(local, sums + d * LANES + v * VW,
            LOAD(local, sums + d * LANES + v * VW) / total[v]);
    int here = clamp(count - v * VW, 0, VW);
    store_part(log_sum_exp + log_sum_exp_first + row + v * VW, largest[v] + log(total[v]), here);
  }
  LANES_TO_ROWS(Y_BF16)(sums, y, heads * D, count);
}

// delta[row] = sum over d of dy y, for rows of [B, heads, Tq]; a group takes a head's every query.
kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void attention_delta(const global ELEMENT(Y_BF16) *y, long y_first, const global float *dy,
                     long dy_first, global float *delta, long delta_first, int queries) {
  int h = get_group_id(1), heads = get_num_groups(1);
  ulong b = get_group_id(2);
  ulong at = (b * queries * heads + h) * D;
  y += y_first + at;
  dy += dy_first + at;
  delta += delta_first + (b * heads + h) * queries;
  for (int i = 0; i < queries; i++, y += heads * D, dy += heads * D) {
    floatV sums = (floatV)(0.0f);
    int d = 0;
    for (; d + VW <= D; d += VW) sums = fma(LOAD_AS(Y_BF16, y + d), LOAD(global, dy + d), sums);
    float lanes[VW], sum = 0.0f;
    STORE(private, lanes, sums);
    for (; d < D; d++) sum += VALUE(Y_BF16, y[d]) * dy[d];
    for (int lane = 0; lane < VW; lane++) sum += lanes[lane];
    delta[i] = sum;
  }
}

// Owns queries.
kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void attention_backward_query(
    INPUT_PARAMETERS, const global float *log_sum_exp, long log_sum_exp_first,
    const global float *dy, long dy_first, const global float *delta, long delta_first,
    global float *dq, long dq_first, long dq_column, EXTENT_PARAMETERS, DROPOUT_PARAMETERS) {
  local float own[DP * LANES], own_dy[DP * LANES], sums[DP * LANES];
  local float p[ROWS * LANES], dp[ROWS * LANES], block[ROWS * DP], block_v[ROWS * DP];
  int tile = get_num_groups(0) - 1 - get_group_id(0), h = get_group_id(1), heads = get_num_groups(1);
  ulong b = get_group_id(2);
  int first = tile * LANES, count = min(LANES, queries - first);
  q += q_first + q_column + (b * queries + first) * q_stride + h * D;
  dq += dq_first + dq_column + (b * queries + first) * q_stride + h * D;
  k += k_first + k_column + b * k_length * k_stride + h * D;
  v_ += v_first + v_column + b * v_length * v_stride + h * D;
  dy += dy_first + ((b * queries + first) * heads + h) * D;
  ulong row = (b * heads + h) * queries + first;
  int visible = PADDED ? min(keys, key_lengths[key_lengths_first + b]) : keys;
  int end = CAUSAL ? min(visible, first_query + first + count) : visible;
  int open = CAUSAL ? min(visible, first_query + first + 1) : visible;

  ROWS_TO_LANES(QKV_BF16)(q, q_stride, count, scale, own);
  ROWS_TO_LANES(0)(dy, heads * D, count, 1.0f, own_dy);
  clear(sums);
  intV limit[NV];
  floatV shift[NV], mean[NV], one[NV];
  EACH_VECTOR {
    limit[v] = CAUSAL ? first_query + first + v * VW + 1 + lane_numbers() : (intV)(keys);
    limit[v] = min(limit[v], (intV)(visible));
    int here = clamp(count - v * VW, 0, VW);
    shift[v] = load_up_to(log_sum_exp + log_sum_exp_first + row + v * VW, here);
    mean[v] = load_up_to(delta + delta_first + row + v * VW, here);
    one[v] = (floatV)(1.0f);
  }
  for (int j0 = 0; j0 < end; j0 += ROWS) {
    int rows = min(ROWS, end - j0), padded = padded_rows(rows);
    COPY_ROWS(QKV_BF16)(k + (ulong)j0 * k_stride, k_stride, rows, 1.0f, padded, DP, block);
    COPY_ROWS(QKV_BF16)(v_ + (ulong)j0 * v_stride, v_stride, rows, 1.0f, padded, DP, block_v);
    multiply(block, own, padded, p);
    multiply(block_v, own_dy, padded, dp);
    for (int r = 0; r < padded; r++) EACH_VECTOR {
      floatV weight = exponential(LOAD(local, p + r * LANES + v * VW) - shift[v]);
      floatV slope = LOAD(local, dp + r * LANES + v * VW);
      if (DROPOUT) slope *= keep_factor((row + v * VW) * keys + j0 + r, keys, DROPOUT_ARGUMENTS);
      slope = weight * (slope - mean[v]);
      if (j0 + r >= open) slope = j0 + r < limit[v] ? slope : (floatV)(0.0f);
      STORE(local, p + r * LANES + v * VW, slope);
    }
    accumulate(block, p, padded, one, sums);
  }
  for (int at = 0; at < DP * LANES; at += VW)
    STORE(local, sums + at, LOAD(local, sums + at) * scale);
  LANES_TO_ROWS(0)(sums, dq, q_stride, count);
}

#if WHOLE
#define QUERY_PARAMETERS global float *dq, long dq_first, long dq_column,
#else
#define QUERY_PARAMETERS
#endif

// Owns keys and their values; with WHOLE a head's every key, tile by tile, and its queries too.
kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void attention_backward_key(
    INPUT_PARAMETERS, const global float *log_sum_exp, long log_sum_exp_first,
    const global float *dy, long dy_first, const global float *delta, long delta_first,
    QUERY_PARAMETERS global float *dk, long dk_first, long dk_column, global float *dv,
    long dv_first, long dv_column, EXTENT_PARAMETERS, DROPOUT_PARAMETERS) {
  local float own[DP * LANES], own_v[DP * LANES], sums[DP * LANES], sums_v[DP * LANES];
  local float p[ROWS * LANES], dp[ROWS * LANES], block[ROWS * DP], block_dy[ROWS * DP];
  local float own_rows[WHOLE ? LANES * DW : 1];
  int h = get_group_id(1), heads = get_num_groups(1);
  ulong b = get_group_id(2);
  q += q_first + q_column + b * queries * q_stride + h * D;
  dy += dy_first + (b * queries * heads + h) * D;
  k += k_first + k_column + b * k_length * k_stride + h * D;
  v_ += v_first + v_column + b * v_length * v_stride + h * D;
  dk += dk_first + dk_column + b * k_length * k_stride + h * D;
  dv += dv_first + dv_column + b * v_length * v_stride + h * D;
  ulong row = (b * heads + h) * queries;
  log_sum_exp += log_sum_exp_first + row;
  delta += delta_first + row;
  int visible = PADDED ? min(keys, key_lengths[key_lengths_first + b]) : keys;
  floatV one[NV];
  EACH_VECTOR one[v] = (floatV)(1.0f);
#if WHOLE
  dq += dq_first + dq_column + b * queries * q_stride + h * D;
  clear_rows(dq, q_stride, queries);
#endif

  int end = WHOLE ? keys : min(keys, (int)(get_group_id(0) + 1) * LANES);
  for (int first = get_group_id(0) * LANES; first < end; first += LANES) {
    int count = min(LANES, keys - first);
    // Queries before the first see none of these keys; from the open one on, they see all.
    int begin = CAUSAL ? max(0, first - first_query) : 0;
    int open = CAUSAL ? first + count - 1 - first_query : 0;
    if (first + count > visible) open = queries;
    if (first >= visible) begin = queries;

    ROWS_TO_LANES(QKV_BF16)(k + (ulong)first * k_stride, k_stride, count, 1.0f, own);
    ROWS_TO_LANES(QKV_BF16)(v_ + (ulong)first * v_stride, v_stride, count, 1.0f, own_v);
    if (WHOLE)
      COPY_ROWS(QKV_BF16)(k + (ulong)first * k_stride, k_stride, count, 1.0f, LANES, DW, own_rows);
    clear(sums);
    clear(sums_v);
    for (int i0 = begin; i0 < queries; i0 += ROWS) {
      int rows = min(ROWS, queries - i0), padded = padded_rows(rows);
      COPY_ROWS(QKV_BF16)(q + (ulong)i0 * q_stride, q_stride, rows, scale, padded, DP, block);
      COPY_ROWS(0)(dy + (ulong)i0 * heads * D, heads * D, rows, 1.0f, padded, DP, block_dy);
      multiply(block, own, padded, p);
      multiply(block_dy, own_v, padded, dp);
      for (int r = 0; r < padded; r++) {
        // Rows beyond the last weigh nothing.
        int i = min(i0 + r, queries - 1);
        float shift = i0 + r < queries ? log_sum_exp[i] : INFINITY, mean = delta[i];
        int limit = CAUSAL ? min(visible, first_query + i + 1) : visible;
        EACH_VECTOR {
          floatV weight = exponential(LOAD(local, p + r * LANES + v * VW) - shift);
          floatV slope = LOAD(local, dp + r * LANES + v * VW);
          if (i < open) weight = first + v * VW + lane_numbers() < limit ? weight : (floatV)(0.0f);
          floatV kept = weight;
          if (DROPOUT) {
            floatV keep = keep_factor((row + i) * keys + first + v * VW, 1, DROPOUT_ARGUMENTS);
            slope *= keep;
            kept *= keep;
          }
          STORE(local, p + r * LANES + v * VW, kept);
          STORE(local, dp + r * LANES + v * VW, weight * (slope - mean));
        }
      }
      accumulate(block_dy, p, padded, one, sums_v);
      accumulate(block, dp, padded, one, sums);
#if WHOLE
      add_to_queries(dp, own_rows, count, rows, q_stride, dq + (ulong)i0 * q_stride);
#endif
    }
    LANES_TO_ROWS(0)(sums, dk + (ulong)first * k_stride, k_stride, count);
    LANES_TO_ROWS(0)(sums_v, dv + (ulong)first * v_stride, v_stride, count);
  }
#if WHOLE
  scale_rows(dq, q_stride, queries, scale);
#endif
}
