// Panels: what the products of matmul.cl read, and how op(A) and op(B) are copied to them.
//
// A panel holds what a tile needs of an operand, MR rows of op(A) or NR columns of op(B), in the
// order in which the tile's sums take it.

// A word of a panel: one element, or with PAIRS two bf16 that follow each other along k. Tiles are
// 16 words deep; panels have zeros beyond the last k.
#define STEP (PAIRS + 1)
#if TILES
#define WORDS(depth) (((depth) + 31) / 32 * 16)
#define EXISTS(k) ((k) < depth)
#else
#define WORDS(depth) (((depth) + PAIRS) / STEP)
#define EXISTS(k) 1
#endif

// How many rows, or vectors along a row, the copies fetch ahead.
#define AHEAD 4

// Panels of A: [MR][KC] as it lies in memory, its rows apart by a constant (an odd number of cache
// lines, so that rows do not compete for a set), or [k][MR] from a transposed A, but for tiles.
#define ROW_STRIDE (KC / STEP + 16)
#define A_BY_COLUMNS (TRANSPOSE_A && !TILES)
#if A_BY_COLUMNS
#define PANEL_A(depth) (MR * WORDS(depth) + VW)
#define A_AT(a, i, k) (a)[(k) * MR + (i)]
#else
#define PANEL_A(depth) (MR * ROW_STRIDE)
#define A_AT(a, i, k) (a)[(i) * ROW_STRIDE + (k)]
#endif

#if PAIRS
typedef uint word;
#define wordV uintV
#define LOAD_WORDS(space, p) (*(const space unaligned_uintV *)(p))
#define STORE_WORDS(space, p, value) (*(space unaligned_uintV *)(p) = (value))
// The words of the first count elements of STEP rows side by side, of which any may be missing (0); and
// the words of STEP vectors in one row.
wordV across0(const global float *x, const global float *y, int count) {
  floatV first = x ? load_up_to(x, count) : (floatV)(0.0f);
  return pairs_across(first, y ? load_up_to(y, count) : (floatV)(0.0f));
}
wordV halves_up_to(const global ushort *source, int count) {
  if (count >= VW) return PASTE(convert_uint, VW)(*(const global unaligned_halves *)source);
  return as_uintV(load_up_to1(source, count)) >> 16;
}
wordV across1(const global ushort *x, const global ushort *y, int count) {
  wordV first = x ? halves_up_to(x, count) : (wordV)(0);
  return y ? first | halves_up_to(y, count) << 16 : first;
}
#define along0(p) pairs_along(LOAD(global, p), LOAD(global, (p) + VW))
// Pairs as they lie in memory, at any multiple of two bytes.
typedef uintV __attribute__((aligned(2))) words_of_halves;
#define along1(p) (*(const global words_of_halves *)(p))
#define MULTIPLY_ADD(a, b, c) dot_pairs(a, b, c)
word word_of(float x, float y) { return pairs_across((floatV)(x), (floatV)(y)).s0; }
#else
typedef float word;
#define wordV floatV
#define LOAD_WORDS LOAD
#define STORE_WORDS STORE
#define ROUNDED(x) (ROUNDS ? rounded_all(x) : (x))
#define across0(x, y, count) ROUNDED(load_up_to(x, count))
#define across1(x, y, count) load_up_to1(x, count)
#define along0(p) ROUNDED(LOAD(global, p))
#define along1(p) load1(p)
#define MULTIPLY_ADD(a, b, c) fma((floatV)(a), b, c)
word word_of(float x, float y) { return ROUNDS ? rounded(x) : x; }
#endif

#define ACROSS(bf16, x, y, count) BY_TYPE(across, bf16)(x, y, count)
#define ALONG(bf16, p) BY_TYPE(along, bf16)(p)
#define A_VALUE(e) VALUE(A_BF16, e)
#define B_VALUE(e) VALUE(B_BF16, e)

#if TILES && TRANSPOSE_A
// The words of VW rows at step k.
wordV column_of_words(const global ELEMENT(A_BF16) *A, ulong stride, int rows, int k, int depth) {
  if (k >= depth) return (wordV)(0);
  const global ELEMENT(A_BF16) *source = A + k * stride;
  return ACROSS(A_BF16, source, k + 1 < depth ? source + stride : 0, rows);
}
#endif

void copy_a(const global ELEMENT(A_BF16) *A, ulong stride, int rows, int depth,
            A_SPACE word *panels) {
#if TILES && TRANSPOSE_A
  for (int row = 0; row < rows || row % MR; row += VW)
    for (int k = 0; k < WORDS(depth); k += VW) {
      wordV square[VW];
      UNROLL for (int i = 0; i < VW; i++) square[i] =
          column_of_words(A + row, stride, rows - row, STEP * (k + i), depth);
      transpose_square((private floatV *)square);
      UNROLL for (int i = 0; i < VW; i++)
          STORE_WORDS(A_SPACE, panels + (row + i) * ROW_STRIDE + k, square[i]);
    }
#elif TRANSPOSE_A
  for (int k = 0; k < depth; k += STEP) {
    const global ELEMENT(A_BF16) *source = A + k * stride;
    const global ELEMENT(A_BF16) *second = k + PAIRS < depth ? source + PAIRS * stride : 0;
    A_SPACE word *target = panels + k / STEP * MR;
    int row = 0;
    // A vector may reach beyond MR words, into those of the next k, which are written later.
    for (; MR <= VW && row + VW <= rows; row += MR, target += PANEL_A(depth)) {
      PREFETCH(source + AHEAD * stride + row);
      STORE_WORDS(A_SPACE, target, ACROSS(A_BF16, source + row, second ? second + row : 0, VW));
    }
    for (; row < rows; row += MR, target += PANEL_A(depth))
      for (int i = 0; i < MR; i++)
        target[i] = row + i < rows ? word_of(A_VALUE(source[row + i]),
                                             second ? A_VALUE(second[row + i]) : 0.0f)
                                   : 0;
  }
#else
  for (int row = 0; row < rows || row % MR; row++) {
    const global ELEMENT(A_BF16) *source = A + row * stride;
    A_SPACE word *target = panels + row * ROW_STRIDE;
    int k = 0;
    for (; row < rows && k + STEP * VW <= depth; k += STEP * VW) {
      PREFETCH(source + 2 * stride + k);
      STORE_WORDS(A_SPACE, target + k / STEP, ALONG(A_BF16, source + k));
    }
    for (; k < STEP * WORDS(depth); k += STEP)
      target[k / STEP] = row < rows && EXISTS(k)
                             ? word_of(A_VALUE(source[k]),
                                       k + PAIRS < depth ? A_VALUE(source[k + PAIRS]) : 0.0f)
                             : 0;
  }
#endif
}

// Panels of B: [word of k][NR], zero beyond the last column.
void copy_b(const global ELEMENT(B_BF16) *B, ulong stride, int columns, int depth,
            B_SPACE word *panels) {
#if TRANSPOSE_B
  for (int column = 0; column < columns || column % NR; column += VW) {
    const global ELEMENT(B_BF16) *source = B + column * stride;
    B_SPACE word *target = panels + column / NR * NR * WORDS(depth) + column % NR;
    int count = min(VW, columns - column);
    int k = 0;
    for (; k + STEP * VW <= depth; k += STEP * VW) {
      wordV square[VW];
      UNROLL for (int i = 0; i < VW; i++) {
        PREFETCH(source + i * stride + k + AHEAD * VW);
        square[i] = (wordV)(0);
        if (i < count) square[i] = ALONG(B_BF16, source + i * stride + k);
      }
      transpose_square((private floatV *)square);
      UNROLL for (int i = 0; i < VW; i++)
          STORE_WORDS(B_SPACE, target + (k / STEP + i) * NR, square[i]);
    }
    for (; k < STEP * WORDS(depth); k += STEP)
      for (int i = 0; i < VW; i++) {
        const global ELEMENT(B_BF16) *row = source + i * stride + k;
        target[k / STEP * NR + i] =
            i < count && EXISTS(k)
                ? word_of(B_VALUE(row[0]), k + PAIRS < depth ? B_VALUE(row[PAIRS]) : 0.0f)
                : 0;
      }
  }
#else
  for (int k = 0; k < STEP * WORDS(depth); k += STEP) {
    const global ELEMENT(B_BF16) *source = B + k * stride;
    const global ELEMENT(B_BF16) *second = k + PAIRS < depth ? source + PAIRS * stride : 0;
    B_SPACE word *target = panels + k / STEP * NR;
    for (int column = 0; column < columns; column += NR) EACH_VECTOR {
      int at = column + v * VW;
      PREFETCH(source + AHEAD * stride + at);
      STORE_WORDS(B_SPACE, target + column * WORDS(depth) + v * VW,
                  ACROSS(B_BF16, EXISTS(k) ? source + at : 0, second ? second + at : 0,
                         columns - at));
    }
  }
#endif
}
