// What a device can do at most, as a yardstick for the other kernels.
//
// fma_rate: each work-item runs `rounds` rounds of CHAINS (12 or 16) independent chains of fused
// multiply-adds of LANES floats, 2 CHAINS LANES operations a round, all in registers. The result is
// written so that nothing is optimised away; with `one` of 1, which no compiler knows, it counts
// what was added.
//
// ITEMS work-items a group: 1 that drives a vector unit, or many with few registers each.

#ifndef ITEMS
#define ITEMS 1
#endif
#ifndef LANES
#define LANES 16
#endif
#ifndef CHAINS
#define CHAINS 16
#endif

#define JOIN_EXPANDED(a, b) a##b
#define JOIN(a, b) JOIN_EXPANDED(a, b)
typedef JOIN(float, LANES) wide;

#define TWELVE(do) do(0) do(1) do(2) do(3) do(4) do(5) do(6) do(7) do(8) do(9) do(10) do(11)
#if CHAINS == 12
#define EACH(do) TWELVE(do)
#else
#define EACH(do) TWELVE(do) do(12) do(13) do(14) do(15)
#endif

__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1)))
void fma_rate(__global float* y, long first, int rounds, float one) {
  wide x = (wide)(one);
  wide z = (wide)(one);
#define BEGIN(i) wide c##i = (wide)(1.0f + i);
  EACH(BEGIN)
  for (int round = 0; round < rounds; round++) {
#define STEP(i) c##i = fma(c##i, x, z);
    EACH(STEP)
  }
  wide sum = 0.0f;
#define SUM(i) sum += c##i;
  EACH(SUM)
  JOIN(vstore, LANES)(sum, 0, y + first + LANES * get_global_id(0));
}
