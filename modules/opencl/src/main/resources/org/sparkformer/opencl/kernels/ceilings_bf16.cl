// As ceilings.cl, for products of bf16 operands on processors that have instructions for them. The
// sums are fp32 and count what was added: each element of y tells how often its chains were.
//
// pair_rate: 16 independent chains of AVX512_BF16's inner products of pairs. PAIRS has to be 1.
// tile_rate: four tiles of sums by AMX, or by its meaning in OpenCL C where AMX is 0.

#include "vector.cl"
#ifndef PAIRS
#define PAIRS 0
#endif
#include "bfloat16.cl"
#include "amx.cl"

#define CHAINS(do) do(0) do(1) do(2) do(3) do(4) do(5) do(6) do(7) \
                   do(8) do(9) do(10) do(11) do(12) do(13) do(14) do(15)

// (one, one) in bf16.
uint pair_of(float one) { return as_uint(one) >> 16 | (as_uint(one) & 0xffff0000u); }

#if PAIRS
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void pair_rate(__global float* y, long first, int rounds, float one) {
  uint x = pair_of(one);
  uintV z = (uintV)(x);
#define BEGIN(i) floatV c##i = (floatV)(1.0f + i);
  CHAINS(BEGIN)
  for (int round = 0; round < rounds; round++) {
#define STEP(i) c##i = dot_pairs(x, z, c##i);
    CHAINS(STEP)
  }
  floatV sum = 0.0f;
#define SUM(i) sum += c##i;
  CHAINS(SUM)
  STORE(global, y + first + VW * get_global_id(0), sum);
}
#endif

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void tile_rate(__global float* y, long first, int rounds, float one) {
  TILE_STATE;
  uint ones[256];
  for (int i = 0; i < 256; i++) ones[i] = pair_of(one);
  TILES_BEGIN();
  TILE_ZERO(0);
  TILE_ZERO(1);
  TILE_ZERO(2);
  TILE_ZERO(3);
  TILE_LOAD(4, ones, 64);
  TILE_LOAD(5, ones, 64);
  TILE_LOAD(6, ones, 64);
  TILE_LOAD(7, ones, 64);
  for (int round = 0; round < rounds; round++) {
    TILE_MULTIPLY_ADD(0, 4, 6);
    TILE_MULTIPLY_ADD(1, 4, 7);
    TILE_MULTIPLY_ADD(2, 5, 6);
    TILE_MULTIPLY_ADD(3, 5, 7);
  }
  float sums[4 * 256];
  TILE_STORE(0, sums, 64);
  TILE_STORE(1, sums + 256, 64);
  TILE_STORE(2, sums + 512, 64);
  TILE_STORE(3, sums + 768, 64);
  TILES_END();
  for (int i = 0; i < 1024; i++) y[first + 1024 * get_global_id(0) + i] = sums[i];
}
