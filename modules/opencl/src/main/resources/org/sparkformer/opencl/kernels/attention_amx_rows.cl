// Rows of D elements in global memory to words. Included for each type of element, with BF16 0 or 1: its
// functions carry that in their names.

// A vector of row r of so many from d on, as fp32; 0 where nothing exists.
floatV BY_TYPE(vector_at, BF16)(const global ELEMENT(BF16) *source, ulong stride, int r, int count,
                                int d) {
  if (r >= count || d >= D) return (floatV)(0.0f);
  return LOAD_UP_TO_AS(BF16, source + r * stride + d, D - d);
}

// [padded][D_WORDS]: pairs along d.
void BY_TYPE(rows_to_words, BF16)(const global ELEMENT(BF16) *source, ulong stride, int count,
                                  int padded, local uint *words) {
  for (int r = 0; r < padded; r++)
    for (int d = 0; d < DP; d += 2 * VW) {
#if BF16
      if (r < count && d + 2 * VW <= D) {
        typedef uintV __attribute__((aligned(2))) words_of_halves;
        STORE_WORDS(words + r * D_WORDS + d / 2,
                    *(const global words_of_halves *)(source + r * stride + d));
        continue;
      }
#endif
      STORE_WORDS(words + r * D_WORDS + d / 2,
                  pairs_along(BY_TYPE(vector_at, BF16)(source, stride, r, count, d),
                              BY_TYPE(vector_at, BF16)(source, stride, r, count, d + VW)));
    }
}

// [padded / 2][DP]: pairs of neighbouring rows.
void BY_TYPE(rows_to_pairs, BF16)(const global ELEMENT(BF16) *source, ulong stride, int count,
                                  int padded, local uint *words) {
  for (int r = 0; r < padded; r += 2)
    for (int d = 0; d < DP; d += VW)
      STORE_WORDS(words + r / 2 * DP + d,
                  pairs_across(BY_TYPE(vector_at, BF16)(source, stride, r, count, d),
                               BY_TYPE(vector_at, BF16)(source, stride, r + 1, count, d)));
}
