// Scaled dot-product attention, forward and backward, by NVIDIA's tensor cores: operands of its
// matrix products rounded to bf16, sums and softmax in fp32. Masks, results and dropout as in
// attention.cl, row sums by the kernel of attention_gpu.cl.
//
// Algorithm: FlashAttention-2 (Dao, arXiv:2307.08691, algorithms 1 and 2), backward as one kernel
// that owns queries and one that owns keys: no atomics, one fixed order of summation. `pack_heads`
// first rounds queries, keys, values and dy into scratch memory, [B, heads, T, DEPTH] with zeros
// from D on, since every tile reads them again. They come as fp32, or with SOURCE_BF16 as bf16; y is
// bf16 with Y_BF16.
//
// A work-group of 4 warps owns 64 queries (or keys), each warp 16 of them, and goes over the others
// in blocks of BLOCK, the next of which is copied into local memory while one is multiplied (with
// STAGES 2). A warp's scores stay in its registers, in which the layout of a product's result is
// that of the next one's left operand: lane l holds rows l / 4 and l / 4 + 8, of each 8 columns two.
//
// DEPTH is D filled up to a power of two, 16 at least, 128 at most. Tunables: BLOCK, 32 or 64, which
// changes last bits, and STAGES, 1 or 2, which does not; both at most, for local memory has to suffice. PASS says which kernel is wanted: 0 forward, 1 backward by query, 2 backward by
// key.

#ifndef PASS
#define PASS 0
#endif
#ifndef BLOCK
#define BLOCK 64
#endif
#ifndef STAGES
#define STAGES 2
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
#ifndef SOURCE_BF16
#define SOURCE_BF16 0
#endif
#ifndef Y_BF16
#define Y_BF16 0
#endif

#define ITEMS 128
#define OWN 64

#include "nvidia.cl"
#include "dropout.cl"
#include "elements.cl"

#define CHUNKS (DEPTH / 8)
// 8 columns of scores, and of sums.
#define SCORE_TILES (BLOCK / 8)
#define SUM_TILES (DEPTH / 8)

#define LOG2_E 1.44269504f
#define LN_2 0.693147181f

#define PARAMETERS                                                                             \
  const global ushort *q, long q_first, const global ushort *k, long k_first,                  \
      const global ushort *v, long v_first, const global int *key_lengths, long key_lengths_first
#define EXTENT_PARAMETERS                                                                      \
  int queries, int keys, int first_query, float scale, DROPOUT_PARAMETERS

// Rows of one head of each sequence, [B, heads, rows, DEPTH], from a matrix whose rows lie stride
// apart, length of them a sequence. A work-group takes PACK_WORDS pairs of elements.
#define PACK_WORDS 256
kernel __attribute__((reqd_work_group_size(PACK_WORDS, 1, 1)))
void pack_heads(const global ELEMENT(SOURCE_BF16) *source, long source_first, global uint *packed,
                long packed_first, long column, int stride, int length, int rows) {
  int h = get_group_id(1), heads = get_num_groups(1);
  ulong b = get_group_id(2);
  int word = get_global_id(0), row = word / (DEPTH / 2), d = word % (DEPTH / 2) * 2;
  if (row >= rows) return;
  source += source_first + column + (b * length + row) * stride + h * D + d;
  float low = d < D ? VALUE(SOURCE_BF16, source[0]) : 0.0f;
  float high = d + 1 < D ? VALUE(SOURCE_BF16, source[1]) : 0.0f;
  packed[packed_first + (b * heads + h) * rows * (DEPTH / 2) + word] = bfloat16_pair(low, high);
}

// Starts copying rows; those beyond the last repeat it, as their weight is 0.
INLINE void copy_rows(const global ushort *source, int first, int count, int size,
                      local ushort *rows, warp_t *warp) {
  for (int at = get_local_id(0); at < count * CHUNKS; at += ITEMS) {
    int row = at / CHUNKS, chunk = at % CHUNKS;
    copy_async((local uint4 *)(rows + place_of(row, chunk, CHUNKS)),
               (const global uint4 *)(source + (ulong)min(first + row, size - 1) * DEPTH) + chunk,
               warp);
  }
}

// s = the warp's 16 own rows times the block's.
INLINE void multiply(const local ushort *own, const local ushort *block, float s[SCORE_TILES][4],
                     warp_t *warp) {
  int row = get_local_id(0) / WARP * 16;
  UNROLL for (int j = 0; j < SCORE_TILES; j++)
    UNROLL for (int e = 0; e < 4; e++) s[j][e] = 0.0f;
  UNROLL for (int d = 0; d < CHUNKS; d += 2) {
    uint4 x = load_matrices(own + place_of_a(row, d, CHUNKS), warp);
    UNROLL for (int j = 0; j < SCORE_TILES; j += 2) {
      uint4 y = load_matrices(block + place_of_b(8 * j, d, CHUNKS), warp);
      multiply_add(s[j], x, y.lo, warp);
      multiply_add(s[j + 1], x, y.hi, warp);
    }
  }
}

// sums += weights [16, BLOCK] times the block.
INLINE void accumulate(float weights[SCORE_TILES][4], const local ushort *block,
                       float sums[SUM_TILES][4], warp_t *warp) {
  UNROLL for (int j = 0; j < SCORE_TILES; j += 2) {
    uint4 x = (uint4)(bfloat16_pair(weights[j][0], weights[j][1]),
                      bfloat16_pair(weights[j][2], weights[j][3]),
                      bfloat16_pair(weights[j + 1][0], weights[j + 1][1]),
                      bfloat16_pair(weights[j + 1][2], weights[j + 1][3]));
    UNROLL for (int d = 0; d < SUM_TILES; d += 2) {
      uint4 y = load_transposed(block + place_of_b_across(8 * j, d, CHUNKS), warp);
      multiply_add(sums[d], x, y.lo, warp);
      multiply_add(sums[d + 1], x, y.hi, warp);
    }
  }
}

INLINE void clear(float sums[SUM_TILES][4]) {
  UNROLL for (int d = 0; d < SUM_TILES; d++)
    UNROLL for (int e = 0; e < 4; e++) sums[d][e] = 0.0f;
}

// The first count of the group's rows, times the factors of this lane's two.
#if PASS == 0
#define RESULT_BF16 Y_BF16
#else
#define RESULT_BF16 0
#endif
INLINE void store_rows(float sums[SUM_TILES][4], const float *factor,
                       global ELEMENT(RESULT_BF16) *target, ulong stride, int count) {
  int lane = get_local_id(0) % WARP, row = get_local_id(0) / WARP * 16 + lane / 4;
  UNROLL for (int j = 0; j < SUM_TILES; j++)
    UNROLL for (int e = 0; e < 4; e++) {
      int r = row + e / 2 * 8, d = 8 * j + 2 * (lane % 4) + e % 2;
      if (r < count && d < D)
        target[r * stride + d] = ELEMENT_OF(RESULT_BF16, sums[j][e] * factor[e / 2]);
    }
}

#define EACH_SCORE                                  \
  UNROLL for (int j = 0; j < SCORE_TILES; j++)      \
    UNROLL for (int e = 0; e < 4; e++)

INLINE void copy_block(const global ushort *x, const global ushort *y, int first, int size,
                       local ushort *block, warp_t *warp) {
  copy_rows(x, first, BLOCK, size, block, warp);
  copy_rows(y, first, BLOCK, size, block + BLOCK * DEPTH, warp);
  commit_copies(warp);
}

// The block of rows of x and y at `at`, once it is there, and starts copying the one behind it.
INLINE const local ushort *take_block(const global ushort *x, const global ushort *y, int size,
                                      int begin, int at, int end, local ushort *blocks,
                                      warp_t *warp) {
  int turn = (at - begin) / BLOCK % STAGES;
  local ushort *block = blocks + turn * 2 * BLOCK * DEPTH;
  if (STAGES == 1 || at == begin) {
    // All warps are done with the block before.
    barrier(CLK_LOCAL_MEM_FENCE);
    copy_block(x, y, at, size, block, warp);
  }
  WAIT_FOR_COPIES(0, warp);
  barrier(CLK_LOCAL_MEM_FENCE);
  if (STAGES == 2 && at + BLOCK < end)
    copy_block(x, y, at + BLOCK, size, blocks + (turn ^ 1) * 2 * BLOCK * DEPTH, warp);
  return block;
}

#if PASS == 0

// y and log_sum_exp are overwritten.
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1)))
void attention_forward(PARAMETERS, global ELEMENT(Y_BF16) *y, long y_first,
                       global float *log_sum_exp, long log_sum_exp_first, EXTENT_PARAMETERS) {
  WARP_STATE(warp);
  local ushort own[OWN * DEPTH] __attribute__((aligned(16)));
  local ushort blocks[STAGES * 2 * BLOCK * DEPTH] __attribute__((aligned(16)));
  // The last queries see most keys: they go first, so that none waits long for the last group.
  int tile = get_num_groups(0) - 1 - get_group_id(0), h = get_group_id(1), heads = get_num_groups(1);
  ulong b = get_group_id(2), head = b * heads + h;
  int first = tile * OWN, count = min(OWN, queries - first);
  int lane = get_local_id(0) % WARP, mine = get_local_id(0) / WARP * 16 + lane / 4;
  q += q_first + head * queries * DEPTH;
  k += k_first + head * keys * DEPTH;
  v += v_first + head * keys * DEPTH;
  y += y_first + ((b * queries + first) * heads + h) * D;
  ulong row = head * queries + first;
  int visible = PADDED ? min(keys, key_lengths[key_lengths_first + b]) : keys;
  int end = CAUSAL ? min(visible, first_query + first + count) : visible;

  int limit[2];
  float largest[2], total[2], sums[SUM_TILES][4];
  UNROLL for (int r = 0; r < 2; r++) {
    limit[r] = CAUSAL ? min(visible, first_query + first + mine + 8 * r + 1) : visible;
    largest[r] = -INFINITY;
    total[r] = 0.0f;
  }
  clear(sums);
  copy_rows(q, first, OWN, queries, own, warp);
  for (int at = 0; at < end; at += BLOCK) {
    const local ushort *block = take_block(k, v, keys, 0, at, end, blocks, warp);
    float s[SCORE_TILES][4], highest[2], shrink[2];
    multiply(own, block, s, warp);
    UNROLL for (int r = 0; r < 2; r++) highest[r] = largest[r];
    EACH_SCORE {
      int column = at + 8 * j + 2 * (lane % 4) + e % 2;
      s[j][e] = column < limit[e / 2] ? s[j][e] * (scale * LOG2_E) : -INFINITY;
      highest[e / 2] = fmax(highest[e / 2], s[j][e]);
    }
    UNROLL for (int r = 0; r < 2; r++) {
      highest[r] = fmax(highest[r], exchange_lanes(highest[r], 1, warp));
      highest[r] = fmax(highest[r], exchange_lanes(highest[r], 2, warp));
      // Every row sees key 0, which lies in the first block, so that the highest is finite.
      shrink[r] = exp2(largest[r] - highest[r]);
      largest[r] = highest[r];
      total[r] *= shrink[r];
    }
    EACH_SCORE {
      float weight = exp2(s[j][e] - highest[e / 2]);
      total[e / 2] += weight;
      int column = at + 8 * j + 2 * (lane % 4) + e % 2;
      if (DROPOUT)
        weight *= keep_factor((row + mine + e / 2 * 8) * keys + column, DROPOUT_ARGUMENTS);
      s[j][e] = weight;
    }
    UNROLL for (int d = 0; d < SUM_TILES; d++)
      UNROLL for (int e = 0; e < 4; e++) sums[d][e] *= shrink[e / 2];
    accumulate(s, block + BLOCK * DEPTH, sums, warp);
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

#elif PASS == 1

// Owns queries. dq is overwritten within the heads' columns.
kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1)))
void attention_backward_query(PARAMETERS, const global ushort *dy, long dy_first,
                              const global float *log_sum_exp, long log_sum_exp_first,
                              const global float *delta, long delta_first, global float *dq,
                              long dq_first, long dq_column, int dq_stride, EXTENT_PARAMETERS) {
  WARP_STATE(warp);
  local ushort own[OWN * DEPTH] __attribute__((aligned(16)));
  local ushort own_dy[OWN * DEPTH] __attribute__((aligned(16)));
  local ushort blocks[STAGES * 2 * BLOCK * DEPTH] __attribute__((aligned(16)));
  int tile = get_num_groups(0) - 1 - get_group_id(0), h = get_group_id(1), heads = get_num_groups(1);
  ulong b = get_group_id(2), head = b * heads + h;
  int first = tile * OWN, count = min(OWN, queries - first);
  int lane = get_local_id(0) % WARP, mine = get_local_id(0) / WARP * 16 + lane / 4;
  q += q_first + head * queries * DEPTH;
  dy += dy_first + head * queries * DEPTH;
  k += k_first + head * keys * DEPTH;
  v += v_first + head * keys * DEPTH;
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
  copy_rows(q, first, OWN, queries, own, warp);
  copy_rows(dy, first, OWN, queries, own_dy, warp);
  for (int at = 0; at < end; at += BLOCK) {
    const local ushort *block = take_block(k, v, keys, 0, at, end, blocks, warp);
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
void attention_backward_key(PARAMETERS, const global ushort *dy, long dy_first,
                            const global float *log_sum_exp, long log_sum_exp_first,
                            const global float *delta, long delta_first, global float *dk,
                            long dk_first, long dk_column, int dk_stride, int k_length,
                            global float *dv, long dv_first, long dv_column, int dv_stride,
                            int v_length, EXTENT_PARAMETERS) {
  WARP_STATE(warp);
  local ushort own[OWN * DEPTH] __attribute__((aligned(16)));
  local ushort own_v[OWN * DEPTH] __attribute__((aligned(16)));
  local ushort blocks[STAGES * 2 * BLOCK * DEPTH] __attribute__((aligned(16)));
  int tile = get_group_id(0), h = get_group_id(1), heads = get_num_groups(1);
  ulong b = get_group_id(2), head = b * heads + h;
  int first = tile * OWN, count = min(OWN, keys - first);
  int lane = get_local_id(0) % WARP, mine = get_local_id(0) / WARP * 16 + lane / 4;
  q += q_first + head * queries * DEPTH;
  dy += dy_first + head * queries * DEPTH;
  k += k_first + head * keys * DEPTH;
  v += v_first + head * keys * DEPTH;
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
  copy_rows(k, first, OWN, keys, own, warp);
  copy_rows(v, first, OWN, keys, own_v, warp);
  for (int at = begin; at < queries; at += BLOCK) {
    const local ushort *block = take_block(q, dy, queries, begin, at, queries, blocks, warp);
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
