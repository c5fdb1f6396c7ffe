// Rows of heads to panels (parts.cl) for attention_amx.cl: once, where each of its work-groups would do
// it for itself.
//
// D is the head size.

#define VW 16
#define PAIRS 1
#ifndef X_BF16
#define X_BF16 0
#endif

#include "vector.cl"
#include "bfloat16.cl"
#include "amx.cl"
#include "parts.cl"

// ALONG: panels whose lanes are rows, and steps d. ACROSS: those whose lanes are d, and steps rows. First
// the former, then the latter, for each head of each sequence.
//   x       first: of head 0, whose rows are stride apart; length rows are a sequence's
//   rows    of each sequence that are taken; a work-group takes block of them, a multiple of 32
kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void pack_rows(const global ELEMENT(X_BF16) *x, long x_first, long column, global uint *panels,
               long panels_first, int stride, int length, int rows, int block) {
  int first = get_group_id(0) * block, count = min(block, rows - first);
  int h = get_group_id(1), heads = get_num_groups(1);
  ulong b = get_group_id(2), padded = (rows + 31) / 32 * 32;
  x += x_first + column + (b * length + first) * stride + h * D;
  panels += panels_first + (b * heads + h) * (ALONG + ACROSS) * padded * WORDS(D);
#if ALONG
  COPY_PANELS(X_BF16)(x, stride, 0, 0, count, D, (ulong)(panels + first * WORDS(D)), 32 * WORDS(D));
  panels += padded * WORDS(D);
#endif
#if ACROSS
  COPY_PANELS(X_BF16)(x, stride, 1, 1, D, count, (ulong)(panels + first / 32 * SQUARE),
                      32 * WORDS(rows));
#endif
}
