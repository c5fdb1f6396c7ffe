// Operands of attention_amx.cl's products in local memory, and the way there and back.

#define STORE_WORDS(p, value) (*(local unaligned_uintV *)(p) = (value))
#define LOAD_WORDS(p) (*(const local unaligned_uintV *)(p))

int padded_rows(int count) { return (count + 31) / 32 * 32; }

#include "attention_lanes.cl"

#define BF16 0
#include "attention_rows.cl"
#include "attention_amx_rows.cl"
#undef BF16
#define BF16 1
#include "attention_rows.cl"
#include "attention_amx_rows.cl"
#undef BF16
#define LANES_TO_ROWS(bf16) BY_TYPE(lanes_to_rows, bf16)
#define ROWS_TO_WORDS(bf16) BY_TYPE(rows_to_words, bf16)
#define ROWS_TO_PAIRS(bf16) BY_TYPE(rows_to_pairs, bf16)

// target[j][i] = source[i][j] for so many rows and columns of words, both multiples of 16.
WIDE
void transpose_words(const local uint *source, int source_stride, int rows, int columns,
                     local uint *target, int target_stride) {
  for (int i = 0; i < rows; i += VW)
    for (int j = 0; j < columns; j += VW) {
      uintV square[VW];
      UNROLL for (int n = 0; n < VW; n++)
          square[n] = LOAD_WORDS(source + (i + n) * source_stride + j);
      transpose_square((private floatV *)square);
      UNROLL for (int n = 0; n < VW; n++)
          STORE_WORDS(target + (j + n) * target_stride + i, square[n]);
    }
}

// Adds products to sums, or overwrites them, for so many rows and columns, in multiples of 32. Strides
// in words, but those of sums in floats.
void add_product(const local uint *a, int a_stride, int rows, const local uint *b, int b_stride,
                 int columns, int words, int overwrite, local float *sums, int sums_stride) {
  for (int j = 0; j < columns; j += 32)
    for (int i = 0; i < rows; i += 32) {
      ulong to = (ulong)(sums + i * sums_stride + j), row = 4 * sums_stride;
      add_square((ulong)(a + i * a_stride), 4 * a_stride, (ulong)(b + j), 4 * b_stride, words, to,
                 row, overwrite, to, row);
    }
}
