// Panels: what the products of matmul.cl read, and how op(A) and op(B) are copied to them.
//
// A panel holds what a tile needs of an operand, MR rows of op(A) or NR columns of op(B), in the
// order in which the tile's sums take it. Panels of READY operands lie in global memory, the others
// in local.

#ifndef READY_A
#define READY_A 0
#endif
#ifndef READY_B
#define READY_B 0
#endif
#if READY_A
#define A_SPACE global
#else
#define A_SPACE local
#endif
#if READY_B
#define B_SPACE global
#else
#define B_SPACE local
#endif

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
// The words of STEP rows of a matrix side by side, or of STEP vectors in one row.
#define ACROSS(x, y) pairs_across(x, y)
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
#define ACROSS(x, y) (ROUNDS ? rounded_all(x) : (x))
#define along0(p) ACROSS(LOAD(global, p), 0)
#define along1(p) load1(p)
#define MULTIPLY_ADD(a, b, c) fma((floatV)(a), b, c)
word word_of(float x, float y) { return ROUNDS ? rounded(x) : x; }
#endif

#define ALONG(bf16, p) BY_TYPE(along, bf16)(p)
#define A_VALUE(e) VALUE(A_BF16, e)
#define B_VALUE(e) VALUE(B_BF16, e)

#if TILES && TRANSPOSE_A
// The words of VW rows at step k.
wordV column_of_words(const global ELEMENT(A_BF16) *A, ulong stride, int rows, int k, int depth) {
  if (k >= depth) return (wordV)(0);
  const global ELEMENT(A_BF16) *source = A + k * stride;
  floatV second =
      k + 1 < depth ? LOAD_UP_TO_AS(A_BF16, source + stride, rows) : (floatV)(0.0f);
  return ACROSS(LOAD_UP_TO_AS(A_BF16, source, rows), second);
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
      floatV other = PAIRS && second ? LOAD_AS(A_BF16, second + row) : (floatV)(0.0f);
      STORE_WORDS(A_SPACE, target, ACROSS(LOAD_AS(A_BF16, source + row), other));
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
      floatV one =
          EXISTS(k) ? LOAD_UP_TO_AS(B_BF16, source + at, columns - at) : (floatV)(0.0f);
      floatV other = PAIRS && second ? LOAD_UP_TO_AS(B_BF16, second + at, columns - at)
                                     : (floatV)(0.0f);
      STORE_WORDS(B_SPACE, target + column * WORDS(depth) + v * VW, ACROSS(one, other));
    }
  }
#endif
}
