// A tile of matmul.cl in vectors: MR x NV of them, and its finish.

// Four steps of the inner product a turn, where PoCL's compiler can; where not, it need not say so.
#pragma clang diagnostic ignored "-Wpass-failed"
#define UNROLL_STEPS _Pragma("unroll 4")

// Adds the products of so many words, and the bias if there is one, to a tile of C, of which
// rows x columns elements exist.
void add_tile(const A_SPACE word *a, const B_SPACE word *b, int words, global float *C,
              ulong stride, int rows, int columns, int from_zero, const global float *bias) {
  floatV c[MR][NV];
  int whole = rows >= MR && columns >= NR;
  EACH_ROW EACH_VECTOR c[i][v] = (floatV)(0.0f);
  if (!from_zero && whole) {
    EACH_ROW EACH_VECTOR c[i][v] = LOAD(global, C + i * stride + v * VW);
  } else if (!from_zero) {
    EACH_ROW EACH_VECTOR if (i < rows)
        c[i][v] = load_up_to(C + i * stride + v * VW, columns - v * VW);
  }
  // The next tile down begins with its C.
  EACH_ROW EACH_VECTOR PREFETCH(C + (MR + i) * stride + v * VW);
  UNROLL_STEPS for (int k = 0; k < words; k++) {
    wordV x[NV];
    EACH_VECTOR x[v] = LOAD_WORDS(B_SPACE, b + k * NR + v * VW);
    EACH_ROW EACH_VECTOR c[i][v] = MULTIPLY_ADD(A_AT(a, i, k), x[v], c[i][v]);
  }
  if (BIAS && bias) {
    floatV x[NV];
    EACH_VECTOR x[v] = load_up_to(bias + v * VW, max(columns - v * VW, 0));
    EACH_ROW EACH_VECTOR c[i][v] += x[v];
  }
  if (whole) {
    EACH_ROW EACH_VECTOR STORE(global, C + i * stride + v * VW, c[i][v]);
  } else {
    EACH_ROW EACH_VECTOR if (i < rows)
        store_part(C + i * stride + v * VW, c[i][v], min(VW, columns - v * VW));
  }
}
// GELU and the rounding of a tile that is still in the first cache.
void finish_tile(const global float *sums, ulong stride, int rows, int columns,
                 global ELEMENT(ACTIVATED_BF16) *activated, global ELEMENT(C_BF16) *C) {
  for (int i = 0; i < min(MR, rows); i++)
    for (int column = 0; column < min(NR, columns); column += VW) {
      ulong at = i * stride + column;
      int count = min(VW, columns - column);
      floatV x = load_up_to(sums + at, count);
      if (GELU) STORE_UP_TO_AS(ACTIVATED_BF16, activated + at, gelu(x), count);
      if (C_BF16) STORE_UP_TO_AS(C_BF16, C + at, x, count);
    }
}

// Adds the products of so many words to a tile of sums, and gives it out after the last of them.
void product_tile(const A_SPACE word *a, const B_SPACE word *b, int words, global float *sums,
                  ulong stride, int rows, int columns, int from_zero, int last,
                  const global float *bias, global ELEMENT(ACTIVATED_BF16) *activated,
                  global ELEMENT(C_BF16) *C) {
  add_tile(a, b, words, sums, stride, rows, columns, from_zero, last ? bias : 0);
  if ((GELU || C_BF16) && last) finish_tile(sums, stride, rows, columns, activated, C);
}
