// Scaled dot-product attention, forward and backward, by NVIDIA's tensor cores: operands of its
// matrix products rounded to bf16, sums and softmax in fp32. Masks, results and dropout as in
// attention.cl, row sums by the kernel of attention_gpu.cl.
//
// Algorithm: FlashAttention-2 (Dao, arXiv:2307.08691, algorithms 1 and 2), backward as one kernel
// that owns queries and one that owns keys: no atomics, one fixed order of summation. Queries,
// keys and values are read as they lie where they are bf16, their heads DEPTH wide and their rows
// whole chunks of 8. Others, and dy, which is fp32, are first rounded by `pack_heads` into scratch
// memory, [B, heads, T, DEPTH] with zeros from D on, since every tile reads them again. They come as
// fp32, or with SOURCE_BF16 as bf16; y is bf16 with Y_BF16, the gradients with GRADIENT_BF16.
//
// A work-group of 4 warps owns 64 queries (or keys), each warp 16 of them, and goes over the others
// in blocks of BLOCK, the next of which is copied into local memory while one is multiplied (with
// STAGES 2). A warp's scores stay in its registers, in which the layout of a product's result is
// that of the next one's left operand: lane l holds rows l / 4 and l / 4 + 8, of each 8 columns two.
//
// DEPTH is D filled up to a power of two, 16 at least, 128 at most. Tunables: BLOCK, 32 or 64, which
// changes last bits, and STAGES, 1 or 2, which does not; both at most, for local memory has to
// suffice.
//
// The kernels stand in attention_tensor_forward.cl and attention_tensor_backward.cl, what they share
// in attention_tensor_tiles.cl.

#ifndef BLOCK
#define BLOCK 64
#endif
#ifndef STAGES
#define STAGES 2
#endif
#ifndef SOURCE_BF16
#define SOURCE_BF16 0
#endif

#define ITEMS 128
#define OWN 64

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

#include "attention_tensor_tiles.cl"
#if PASS == 0
#include "attention_tensor_forward.cl"
#else
#include "attention_tensor_backward.cl"
#endif
