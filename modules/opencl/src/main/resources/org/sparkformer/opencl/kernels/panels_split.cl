// Panels of matmul_split.cl, and the sums of a tile over them.

#define PARTS 3
typedef uint word;

#include "parts.cl"

#define PANEL_A(depth) (MR * WORDS(depth))

void copy_a(const global float *A, ulong stride, int rows, int depth, A_SPACE word *panels) {
  COPY_PANELS(0)(A, stride, TRANSPOSE_A, TRANSPOSE_A, rows, depth, (ulong)panels, PANEL_A(depth));
}

void copy_b(const global float *B, ulong stride, int columns, int depth, B_SPACE word *panels) {
  COPY_PANELS(0)(B, stride, !TRANSPOSE_B, TRANSPOSE_B, columns, depth, (ulong)panels,
                 NR * WORDS(depth));
}

#define ADD_SQUARE(a, b, words, from, from_stride, from_zero, to, to_stride) \
  add_panels((ulong)(a), (ulong)(b), words, from, from_stride, from_zero, to, to_stride)
