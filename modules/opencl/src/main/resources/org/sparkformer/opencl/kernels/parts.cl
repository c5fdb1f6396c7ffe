// Panels of AMX's operands, and the sums of a tile over them. Needs vector.cl, bfloat16.cl for PAIRS,
// and amx.cl.
//
// A panel holds 32 lanes, rows of a left operand or columns of a right one: for each 32 steps of the
// inner product PARTS parts, and of each part two registers of AMX, 16 lanes by 16 pairs of steps.
// Registers of left operands have lanes for rows, those of right ones pairs. Zeros beyond the last lane
// and the last step.
//
// PARTS 1: elements rounded to bf16. 3: those that an element of fp32 is the sum of (matmul_split.cl).

#define INLINE static inline __attribute__((always_inline))

// Words of a register, of a part and of all parts of 32 lanes and 32 steps; of a lane.
#define REGISTER (VW * VW)
#define PART (2 * REGISTER)
#define SQUARE (PARTS * PART)
#define DEPTH 32 // steps of a register
#define WORDS(depth) (((depth) + DEPTH - 1) / DEPTH * PARTS * VW)

// A row of a register, or what one of each part is made of: pairs (x[i], y[i]); how it comes of these
// and of their elements in a row; its next part; 16 rows turned.
#if PARTS == 1
typedef uintV row_t;
#define row_across pairs_across
#define row_along pairs_along
#define next_part(part, row) (*(row))
#define turn(rows) transpose_square((private floatV *)(rows))
#else
typedef struct {
  floatV x, y;
} row_t;

row_t row_across(floatV x, floatV y) {
  row_t row = {x, y};
  return row;
}

row_t row_along(floatV x, floatV y) {
  row_t row;
  row.x.lo = x.even;
  row.x.hi = y.even;
  row.y.lo = x.odd;
  row.y.hi = y.odd;
  return row;
}

// The row keeps what the part leaves. The upper half of the bits, so that what is finite stays so; the
// nearest bf16 of what is left; and what is left then, which is one.
uintV next_part(int part, row_t *row) {
  uint up = part == 1 ? 0x8000u : 0;
  uintV first = as_uintV(row->x) + up & 0xffff0000u, second = as_uintV(row->y) + up & 0xffff0000u;
  row->x -= as_floatV(first);
  row->y -= as_floatV(second);
  return first >> 16 | second;
}

// Before they are split: two squares, not three.
INLINE void turn(row_t *rows) {
  floatV square[VW];
  UNROLL for (int i = 0; i < VW; i++) square[i] = rows[i].x;
  transpose_square(square);
  UNROLL for (int i = 0; i < VW; i++) rows[i].x = square[i];
  UNROLL for (int i = 0; i < VW; i++) square[i] = rows[i].y;
  transpose_square(square);
  UNROLL for (int i = 0; i < VW; i++) rows[i].y = square[i];
}
#endif

#define BF16 0
#include "parts_rows.cl"
#undef BF16
#define BF16 1
#include "parts_rows.cl"
#undef BF16
#define COPY_PANELS(bf16) BY_TYPE(copy_panels, bf16)

// Parts i of A or j of B, in two registers each; the products of those that are there.
#define LOAD_A(i)                              \
  TILE_LOAD(4, a + (i) * PART * sizeof(uint), 64); \
  TILE_LOAD(5, a + ((i) * PART + REGISTER) * sizeof(uint), 64)
#define LOAD_B(j)                              \
  TILE_LOAD(6, b + (j) * PART * sizeof(uint), 64); \
  TILE_LOAD(7, b + ((j) * PART + REGISTER) * sizeof(uint), 64)
#define ADD_PRODUCTS          \
  TILE_MULTIPLY_ADD(0, 4, 6); \
  TILE_MULTIPLY_ADD(1, 4, 7); \
  TILE_MULTIPLY_ADD(2, 5, 6); \
  TILE_MULTIPLY_ADD(3, 5, 7)

// As add_square of amx.cl, over the words of a lane of two panels.
void add_panels(ulong a, ulong b, int words, ulong from, ulong from_stride, int from_zero, ulong to,
                ulong to_stride) {
  TILE_STATE;
  SQUARE_BEGIN(from, from_stride, from_zero);
  ulong square = SQUARE * sizeof(uint);
  for (int k = 0; k < words; k += PARTS * VW, a += square, b += square) {
#if PARTS == 1
    LOAD_A(0);
    LOAD_B(0);
    ADD_PRODUCTS;
#else
    LOAD_A(2);
    LOAD_B(0);
    ADD_PRODUCTS;
    LOAD_A(1);
    ADD_PRODUCTS;
    LOAD_B(1);
    ADD_PRODUCTS;
    LOAD_A(0);
    ADD_PRODUCTS;
    LOAD_B(2);
    ADD_PRODUCTS;
    LOAD_B(0);
    ADD_PRODUCTS;
    TILE_STORE_IN_VAIN(7);
#endif
  }
  SQUARE_END(to, to_stride);
}
