// A tile of matmul.cl by AMX: two by two registers of sums, and its finish.

#if !SPLIT
#define ADD_SQUARE(a, b, words, from, from_stride, from_zero, to, to_stride)                      \
  add_square((ulong)(a), ROW_STRIDE * sizeof(word), (ulong)(b), NR * sizeof(word), words, from, \
             from_stride, from_zero, to, to_stride)
#endif

// Adds the products of so many words to a tile of sums, and gives it out after the last of them, when
// its sums are no longer needed in memory. What does not exist is added up beside it.
void product_tile(const A_SPACE word *a, const B_SPACE word *b, int words, global float *sums,
                  ulong stride, int rows, int columns, int from_zero, int last,
                  const global float *bias, global ELEMENT(ACTIVATED_BF16) *activated,
                  global ELEMENT(C_BF16) *C) {
  ulong bytes = stride * sizeof(float), row = NR * sizeof(float);
  int whole = rows >= MR && columns >= NR, finishes = (BIAS || GELU || C_BF16) && last;
  if (whole && !finishes) {
    ADD_SQUARE(a, b, words, (ulong)sums, bytes, from_zero, (ulong)sums, bytes);
    return;
  }
  float beside[MR * NR] __attribute__((aligned(64)));
  if (!from_zero && !whole)
    for (int i = 0; i < MR; i++) EACH_VECTOR STORE(
        private, beside + i * NR + v * VW,
        load_up_to(sums + i * stride + v * VW, i < rows ? columns - v * VW : 0));
  ulong at = (ulong)beside;
  ADD_SQUARE(a, b, words, whole ? (ulong)sums : at, whole ? bytes : row, from_zero, at, row);
  floatV shift[NV];
  EACH_VECTOR shift[v] = (floatV)(0.0f);
  if (BIAS && last) EACH_VECTOR shift[v] = load_up_to(bias + v * VW, max(columns - v * VW, 0));
  for (int i = 0; i < min(MR, rows); i++) EACH_VECTOR {
    int count = clamp(columns - v * VW, 0, VW);
    ulong element = i * stride + v * VW;
    floatV x = LOAD(private, beside + i * NR + v * VW) + shift[v];
    if (GELU && last) STORE_UP_TO_AS(ACTIVATED_BF16, activated + element, gelu(x), count);
    if (last)
      STORE_UP_TO_AS(C_BF16, C + element, x, count);
    else
      store_up_to0(sums + element, x, count);
  }
}
