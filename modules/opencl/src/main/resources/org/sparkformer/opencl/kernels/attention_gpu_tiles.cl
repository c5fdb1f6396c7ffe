// What the kernels of attention_gpu.cl share: rows in local memory, both products with their sums in an
// item's registers, and the way from memory and back.

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
