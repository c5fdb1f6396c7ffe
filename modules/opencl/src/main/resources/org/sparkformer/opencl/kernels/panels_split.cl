// Panels of matmul_split.cl, and the sums of a tile over them.
//
// A panel holds 32 rows of op(A) or columns of op(B), here lanes: for each 32 steps of the inner product
// the three parts, and of each part two registers of AMX, 16 lanes by 16 pairs of steps. Registers of A
// have lanes for rows, those of B pairs. Zeros beyond the last lane and the last step.

#define INLINE static inline __attribute__((always_inline))

#define PARTS 3
typedef uint word;

// Words of a register, of a part and of all parts of 32 lanes and 32 steps; of a lane; of a panel.
#define REGISTER (VW * VW)
#define PART (2 * REGISTER)
#define SQUARE (PARTS * PART)
#define DEPTH 32 // steps of a register
#define WORDS(depth) (((depth) + DEPTH - 1) / DEPTH * PARTS * VW)
#define PANEL_A(depth) (MR * WORDS(depth))

// The next part of pairs (x[i], y[i]), which keep what it leaves: the upper half of their bits, so that
// what is finite stays so; the nearest bf16 of what is left; and what is left then, which is one.
uintV next_part(int part, floatV *x, floatV *y) {
  uint up = part == 1 ? 0x8000u : 0;
  uintV first = as_uintV(*x) + up & 0xffff0000u, second = as_uintV(*y) + up & 0xffff0000u;
  *x -= as_floatV(first);
  *y -= as_floatV(second);
  return first >> 16 | second;
}

// The pairs of up to 16 lanes at two steps, or of up to 32 steps of a lane: the former where steps lie
// across the rows of memory, the latter where they lie along them.
void load_pairs(const global float *source, ulong stride, int across, int lanes, int depth,
                floatV *first, floatV *second) {
  if (across) {
    *first = load_up_to(source, depth > 0 ? lanes : 0);
    *second = load_up_to(source + stride, depth > 1 ? lanes : 0);
  } else {
    floatV x = load_up_to(source, lanes > 0 ? depth : 0);
    floatV y = load_up_to(source + VW, lanes > 0 ? depth - VW : 0);
    first->lo = x.even;
    first->hi = y.even;
    second->lo = x.odd;
    second->hi = y.odd;
  }
}

// Goes along the rows of memory. `turned`: whether these lie across the rows of registers, of which
// then 16 are made at a time.
INLINE void copy_panels(const global float *source, ulong stride, int across, int turned,
                        int lanes, int depth, ulong panels) {
  int all_lanes = (lanes + 2 * VW - 1) / (2 * VW) * 2 * VW;
  int all_depth = (depth + DEPTH - 1) / DEPTH * DEPTH;
  int rows = turned ? VW : 1;
  int inner_size = across ? all_lanes : depth, inner_step = across ? VW : DEPTH;
  int outer_size = across ? all_depth : all_lanes, outer_step = across ? 2 * rows : rows;
  for (int outer = 0; outer < outer_size; outer += outer_step)
    for (int inner = 0; inner < inner_size; inner += inner_step) {
      int lane = across ? inner : outer, k = across ? outer : inner;
      const global float *from = source + outer * stride + inner;
      floatV first[VW], second[VW];
      for (int i = 0; i < rows; i++, from += (across ? 2 : 1) * stride)
        load_pairs(from, stride, across, lanes - lane - (across ? 0 : i),
                   depth - k - (across ? 2 * i : 0), first + i, second + i);
      if (turned) transpose_square(first);
      if (turned) transpose_square(second);
      ulong row = across ? k / 2 % VW : lane % VW; // of a register
      ulong at = lane / (2 * VW) * (2 * VW) * WORDS(depth) + k / DEPTH * SQUARE +
                 lane / VW % 2 * REGISTER + row * VW;
      ulong target = panels + at * sizeof(word);
      UNROLL for (int part = 0; part < PARTS; part++, target += PART * sizeof(word))
        UNROLL for (int i = 0; i < rows; i++)
          ((private uintV *)target)[i] = next_part(part, first + i, second + i);
    }
}

void copy_a(const global float *A, ulong stride, int rows, int depth, A_SPACE word *panels) {
  copy_panels(A, stride, TRANSPOSE_A, TRANSPOSE_A, rows, depth, (ulong)panels);
}

void copy_b(const global float *B, ulong stride, int columns, int depth, B_SPACE word *panels) {
  copy_panels(B, stride, !TRANSPOSE_B, TRANSPOSE_B, columns, depth, (ulong)panels);
}

// Parts i of A or j of B, in two registers each; the products of those that are there.
#define LOAD_A(i)                              \
  TILE_LOAD(4, a + (i) * PART * sizeof(word), 64); \
  TILE_LOAD(5, a + ((i) * PART + REGISTER) * sizeof(word), 64)
#define LOAD_B(j)                              \
  TILE_LOAD(6, b + (j) * PART * sizeof(word), 64); \
  TILE_LOAD(7, b + ((j) * PART + REGISTER) * sizeof(word), 64)
#define ADD_PRODUCTS          \
  TILE_MULTIPLY_ADD(0, 4, 6); \
  TILE_MULTIPLY_ADD(1, 4, 7); \
  TILE_MULTIPLY_ADD(2, 5, 6); \
  TILE_MULTIPLY_ADD(3, 5, 7)

// As add_square of amx.cl, over the words of a lane's parts.
void add_parts(ulong a, ulong b, int words, ulong from, ulong from_stride, int from_zero, ulong to,
               ulong to_stride) {
  TILE_STATE;
  SQUARE_BEGIN(from, from_stride, from_zero);
  ulong square = SQUARE * sizeof(word);
  for (int k = 0; k < words; k += PARTS * VW, a += square, b += square) {
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
  }
  SQUARE_END(to, to_stride);
}
#define ADD_SQUARE(a, b, words, from, from_stride, from_zero, to, to_stride) \
  add_parts((ulong)(a), (ulong)(b), words, from, from_stride, from_zero, to, to_stride)
