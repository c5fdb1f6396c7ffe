// What a device can do at most, as a yardstick for the other kernels.
//
// fma_rate: each work-item runs ROUNDS rounds of 16 independent chains of float16 fused
// multiply-adds, 512 operations a round, all in registers. The result is written so that nothing is
// optimised away; it stays finite, near 1.

#define CHAINS(do) do(0) do(1) do(2) do(3) do(4) do(5) do(6) do(7) \
                   do(8) do(9) do(10) do(11) do(12) do(13) do(14) do(15)

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void fma_rate(__global float* y, long first, int rounds, float a, float b) {
  float16 x = (float16)(a);
  float16 z = (float16)(b);
#define BEGIN(i) float16 c##i = (float16)(1.0f + i);
  CHAINS(BEGIN)
  for (int round = 0; round < rounds; round++) {
#define STEP(i) c##i = fma(c##i, x, z);
    CHAINS(STEP)
  }
  float16 sum = 0.0f;
#define SUM(i) sum += c##i;
  CHAINS(SUM)
  vstore16(sum, 0, y + first + 16 * get_global_id(0));
}
