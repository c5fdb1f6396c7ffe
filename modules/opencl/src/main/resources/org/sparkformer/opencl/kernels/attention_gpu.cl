// Scaled dot-product attention, forward and backward, for processors with many threads and fast
// local memory. fp32. Tensors, their types in memory, masks and arguments as in attention.cl.
//
// Algorithm: FlashAttention-2 (Dao, arXiv:2307.08691, algorithms 1 and 2). A work-group of 128 items
// owns OWN = 16 WORK queries of a head (or, for the gradients of keys and values, keys) and goes over
// the others in blocks of BLOCK. One kernel owns queries and one owns keys, which both compute the
// probabilities again: no atomics, one fixed order of summation.
//
// Item (r, c), of 16 x 8, has rows r, r + 16, ... of what the group owns; of scores it computes
// WORK x BLOCK / 8, with columns c, c + 8, ...; of sums [OWN, D] vectors of 4 with numbers c, c + 8,
// ... So the 32 items of a warp read 4 rows of one operand and 8 of the other, in vectors of 4 whose
// rows lie an odd number of vectors apart, without bank conflicts.
//
// Tunables: WORK, 1, 2 or 4, and BLOCK, 16 or 32, at most, for local memory has to suffice. They
// change last bits, which so depend on the device's kind.
//
// The kernels stand in attention_gpu_forward.cl and attention_gpu_backward.cl, what they share in
// attention_gpu_tiles.cl.

#ifndef WORK
#define WORK 2
#endif
#ifndef BLOCK
#define BLOCK 32
#endif

#define UNROLL _Pragma("unroll")
// Arrays of an item that are passed to a function stay in registers only where it is inlined.
#define INLINE __attribute__((always_inline))
#define EACH_ROW UNROLL for (int i = 0; i < WORK; i++)

#include "attention_passes.cl"

#ifndef DY_BF16
#define DY_BF16 0 // of attention_delta alone
#endif

#define ITEMS 128
#define DOWN 16
#define ACROSS 8
#define OWN (DOWN * WORK)
#define SPAN (BLOCK / ACROSS)
// Vectors of 4 in a row; and from one row to the next, odd numbers of them.
#define VECTORS ((D + 3) / 4)
#define STRIDE (4 * (VECTORS | 1))
#define SCORE_STRIDE (4 * (BLOCK / 4 | 1))
// Vectors of sums that an item has at most.
#define SHARE ((VECTORS + ACROSS - 1) / ACROSS)

#include "attention_arguments.cl"
#include "attention_gpu_tiles.cl"
#if PASS == 0
#include "attention_gpu_forward.cl"
#else
#include "attention_gpu_backward.cl"
#endif
