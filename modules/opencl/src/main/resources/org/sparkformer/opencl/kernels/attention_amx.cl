// Scaled dot-product attention, forward and backward, by AMX: operands of its matrix products are
// rounded to bf16, or with PARTS 3 fp32 (attention_split.cl), sums and softmax fp32. Arguments, masks,
// dropout and results as in attention.cl; queries, keys and values are fp32 or with QKV_BF16 bf16.
//
// Algorithm: FlashAttention-2 (Dao, arXiv:2307.08691, algorithms 1 and 2), backward by one kernel that
// owns a head's every key and its queries: no atomics, one fixed order of summation.
//
// A work-group of one work-item takes OWN queries at a time, one a column of scores (backward: OWN
// keys), and goes over blocks of ROWS keys (or queries), 32 columns at a time. Scores are products of
// [ROWS, D] and [D, 32] and the softmax runs down their columns without any reduction across lanes;
// they become the right operand of the next product as pairs of neighbouring rows.
//
// Operands lie in panels (parts.cl), in local memory: a work-group owns a head, and packs what it has
// of keys and values (backward: of queries and y's gradients) before it begins. With READY, for heads
// that local memory does not hold and for too few to keep all units busy, a launch before has done that
// (attention_panels.cl), and forward a work-group owns OWN queries. The bits are the same.
//
// D is the head size. OWN and ROWS are multiples of 32.
//
// Tunables, of which the host makes OWN and ROWS, where local memory suffices; VAIN of amx.cl, of PARTS
// 3 alone:
// QUERIES: at a time at most. Each has sums of its own forward, and is added in its turn backward: no
//   value changes a bit
// KEYS: at a time at most, after which the softmax scales its sums anew: changes last bits
//
// The kernels stand in attention_amx_forward.cl and attention_amx_backward.cl, what they share in
// attention_amx_operands.cl.

#ifndef PARTS
#define PARTS 1
#endif

#ifndef READY
#define READY 0
#endif

#define VW 16
#define PAIRS 1
#define LANES OWN
#define DP ((D + 31) / 32 * 32)
// Columns that pass at a time, and their vectors.
#define COLUMNS 32
#define EACH_VECTOR UNROLL for (int n = 0; n < COLUMNS / VW; n++)

#include "vector.cl"
#include "bfloat16.cl"
#include "amx.cl"
#include "parts.cl"
#include "attention_options.cl"
#include "attention_arguments.cl"
#include "dropout_lanes.cl"
#include "attention_amx_operands.cl"
#include "attention_amx_forward.cl"
#include "attention_delta.cl"
#include "attention_amx_backward.cl"
