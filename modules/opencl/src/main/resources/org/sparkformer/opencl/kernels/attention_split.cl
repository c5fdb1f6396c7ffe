// attention_amx.cl for fp32: each element of an operand in three parts, as in matmul_split.cl.

#define PARTS 3
#include "attention_amx.cl"
