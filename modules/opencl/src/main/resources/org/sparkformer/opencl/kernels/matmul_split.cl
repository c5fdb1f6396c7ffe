// matmul.cl for operands of fp32 on processors with AMX, whose tiles multiply bf16 many times as fast as
// vectors do fp32.
//
// An element of fp32 has 24 bits, three times those of bf16, and is the sum of three parts: the upper
// half of its bits, the nearest bf16 of what is left, and what is left then. Of the nine products of two
// elements' parts the six largest are added up. The other three are at most 2^-22 of the product
// together, and of either sign; fp32 rounds it by up to 2^-24. The sums are fp32 and round once for
// each 32 steps and pair of parts, so that they lie nearer to the true ones than a chain of fused
// multiply-adds does (HostProductsTest).
// Source: Henry, Tang and Heinecke, Leveraging the bfloat16 Artificial Intelligence Datatype For
// Higher-Precision Computations, ARITH 2019.
//
// Unlike that chain's: a sum is NaN where a factor is not finite, and parts below 2^-126 count as 0.
//
// Tunables, of which the host makes blocks and that change no bit, as sums stay what they are on their
// way to memory and back; VAIN of amx.cl:
// ROWS: of C in a block at most, whose panels of A stay in the second cache; twice as many where B is
//   too large to be packed first
// KC: steps of the inner product at most

#define PAIRS 1
#define TILES 1
#define SPLIT 1
#include "matmul.cl"
