// Scaled dot-product attention, forward and backward, for processors with vector units and caches.
// fp32, but queries, keys and values in memory are bf16 with QKV_BF16, and y with Y_BF16. Memory
// linear in the sequence length.
//
// y = softmax(mask(q k^T scale)) v for each sequence b and head h. Queries [B, Tq, heads, D], keys
// and values [B, Tk, heads, D], each row apart from the next by its own stride, so that the packed
// [B T, 3 C] matrix is read in place; y and dy [B Tq, heads D]; logSumExp and delta [B, heads, Tq].
// Key j is visible to query i where j < key_lengths[b] (with PADDED) and j <= first_query + i (with
// CAUSAL). Backward overwrites dq, dk and dv within the heads' columns. All outputs are overwritten.
//
// Algorithm: online softmax as in Dao, arXiv:2307.08691, algorithms 1 and 2. Backward, without
// atomics and in one fixed order of summation, either as one kernel that owns keys and one that owns
// queries, which both compute the probabilities; or, with WHOLE, as one kernel that owns a head's
// every key and computes them once. Both give the same bits: each element of dq is one chain of
// fused multiply-adds over rising keys, from the same products.
//
// A work-group of one work-item owns LANES = NV VW queries (or keys), one a vector lane, and goes
// over blocks of ROWS keys (or queries). Own vectors lie transposed in local memory, [D][LANES];
// those of the block as rows, [ROWS][D]. Then both products, scores [ROWS][LANES] and sums
// [D][LANES], take vectors from one operand and single elements from the other, tiles of 8 x NV
// vectors live in registers, and the softmax runs down the lanes without any reduction across them.
//
// D is the head size. Tunables: VW vector width; NV vectors of lanes; ROWS of a block, a multiple
// of 8.
//
// The kernels stand in attention_forward.cl and attention_backward.cl, what they share in
// attention_tiles.cl.

#include "vector.cl"

#ifndef NV
#define NV 2
#endif
#ifndef ROWS
#define ROWS 32
#endif
#ifndef WHOLE
#define WHOLE 0
#endif

#include "attention_options.cl"
#include "attention_arguments.cl"
#include "dropout_lanes.cl"
#include "attention_tiles.cl"
#include "attention_forward.cl"
#include "attention_backward.cl"
