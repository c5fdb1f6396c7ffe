// Source of product.ptx, which is what HopperPtxTest rewrites. Made from the folder of the kernels with
// clang 19 and libclc, paths and comments of the compiler's own left as they were:
//
//   clang-19 -x cl -cl-std=CL1.2 -O3 -w -Dasm=__asm__ --target=nvptx64-nvidia-nvcl -march=sm_90 \
//     -Xclang -target-feature -Xclang +ptx80 -Xclang -mlink-builtin-bitcode \
//     -Xclang /usr/lib/clc/nvptx64--nvidiacl.bc -I. -S product.cl -o product.ptx

#define PTX 1
#define COLUMNS 64
#include "nvidia.cl"
#include "hopper.cl"

kernel __attribute__((reqd_work_group_size(128, 1, 1)))
void product(global float *sums) {
  local ushort rows[(64 + COLUMNS) * 64] __attribute__((aligned(1024)));
  WARP_STATE(warp);
  float c[COLUMNS / 2];
  UNROLL for (int i = 0; i < COLUMNS / 2; i++) c[i] = 0;
  for (int i = get_local_id(0); i < (64 + COLUMNS) * 64; i += 128) rows[i] = i % 64;
  publish_copies(warp);
  barrier(CLK_LOCAL_MEM_FENCE);
  begin_products(c, warp);
  UNROLL for (int k = 0; k < 8; k += 2) start_product(c, rows, rows + 64 * 64, k, 8, warp);
  commit_products(warp);
  wait_for_products(0, c, warp);
  UNROLL for (int i = 0; i < COLUMNS / 2; i++) sums[get_local_id(0) * COLUMNS / 2 + i] = c[i];
}
