// matmul.cl for operands that are rounded to bf16 on processors with AMX, whose tiles multiply pairs of
// them.
//
// Tunables, of which the host makes blocks and that change no bit, as sums stay what they are on their
// way to memory and back; VAIN of amx.cl:
// ROWS: of C in a block at most
// KC: steps of the inner product at most, whose panels stay in the second cache

#define PAIRS 1
#define TILES 1
#include "matmul.cl"
