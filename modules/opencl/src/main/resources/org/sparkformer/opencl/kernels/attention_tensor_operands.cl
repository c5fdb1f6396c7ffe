// What the kernels of attention_tensor.cl read: rows of heads, and how others become such rows.

#ifndef BLOCK
#define BLOCK 64
#endif
#ifndef STAGES
#define STAGES 2
#endif
#ifndef SOURCE_BF16
#define SOURCE_BF16 0
#endif

#ifndef OWN
#define OWN 64
#endif
#define ITEMS (OWN / 16 * 32)

#include "nvidia.cl"
#include "attention_passes.cl"

#define CHUNKS (DEPTH / 8)
// 8 columns of scores, and of sums.
#define SCORE_TILES (BLOCK / 8)
#define SUM_TILES (DEPTH / 8)

// Rows of heads: the first element, and elements from one sequence, head and row to the next; DEPTH
// of each row count.
#define ROWS_OF(x) \
  const global ushort *x, long x##_first, long x##_batch, long x##_head, int x##_stride
#define PARAMETERS                                                                             \
  ROWS_OF(q), ROWS_OF(k), ROWS_OF(v), const global int *key_lengths, long key_lengths_first
#define EXTENT_PARAMETERS                                                                      \
  int queries, int keys, int first_query, float scale, DROPOUT_PARAMETERS

// Rows of one head of each sequence, [B, heads, rows, DEPTH], from a matrix whose rows lie stride
// apart, length of them a sequence. A work-group takes PACK_WORDS pairs of elements.
#define PACK_WORDS 256
kernel __attribute__((reqd_work_group_size(PACK_WORDS, 1, 1)))
void pack_heads(const global ELEMENT(SOURCE_BF16) *source, long source_first, global uint *packed,
                long packed_first, long column, int stride, int length, int rows) {
  int h = get_group_id(1), heads = get_num_groups(1);
  ulong b = get_group_id(2);
  int word = get_global_id(0), row = word / (DEPTH / 2), d = word % (DEPTH / 2) * 2;
  if (row >= rows) return;
  source += source_first + column + (b * length + row) * stride + h * D + d;
  float low = d < D ? VALUE(SOURCE_BF16, source[0]) : 0.0f;
  float high = d + 1 < D ? VALUE(SOURCE_BF16, source[1]) : 0.0f;
  packed[packed_first + (b * heads + h) * rows * (DEPTH / 2) + word] = bfloat16_pair(low, high);
}
