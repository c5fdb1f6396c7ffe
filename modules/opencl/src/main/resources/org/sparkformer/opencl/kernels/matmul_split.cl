// matmul.cl for operands of fp32 on processors with AMX, whose tiles multiply bf16 many times as fast as
// vectors do fp32.
//
// An element of fp32 has 24 bits, three times those of bf16, and is the sum of three parts: the nearest
// bf16, the nearest of what is left, and that of what is left then. Of the nine products of two
// elements' parts the six largest are added up; the other three are no more than fp32's own rounding of
// the product, 2^-24 of it, together. The sums are fp32 and round once for each 32 steps and pair of
// parts, so that they lie nearer to the true ones than a chain of fused multiply-adds does.
// Source: Henry, Tang and Heinecke, Leveraging the bfloat16 Artificial Intelligence Datatype For
// Higher-Precision Computations, ARITH 2019.
//
// Unlike that chain's: a sum is NaN where a factor is not finite, and factors below 2^-126 count as 0.

#define PAIRS 1
#define TILES 1
#define SPLIT 1
#include "matmul.cl"
