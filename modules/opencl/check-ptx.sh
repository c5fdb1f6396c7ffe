#!/usr/bin/env bash
# Compiles the kernels for NVIDIA GPUs without one: OpenCL C to PTX by clang, PTX to machine code by
# ptxas, which checks the inline PTX. Prints registers and local memory of each kernel. Fails where
# something does not compile, spills more than a few registers or declares more local memory than the
# driver reports.
# Nobody needs this to build or to run.
#
#   modules/opencl/check-ptx.sh [sm_80 sm_90 ...]
#
# CLANG    clang with the NVPTX target (Debian: clang-19)
# LIBCLC   OpenCL C's functions for it (Debian: libclc-19)
# PTXAS    NVIDIA's assembler (PyPI: nvidia-cuda-nvcc-cu12, nvidia/cuda_nvcc/bin/ptxas)
set -euo pipefail

CLANG=${CLANG:-clang-19}
LIBCLC=${LIBCLC:-/usr/lib/clc/nvptx64--nvidiacl.bc}
PTXAS=${PTXAS:-ptxas}
kernels=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)/src/main/resources/org/sparkformer/opencl/kernels
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# check FILE MACROS...: as the host builds it; clang knows asm as __asm__ only. For sm_90a the lines that
# are marked so become instructions, as HopperPtx.java makes them; where ptxas says that it has to put
# waits between products (its messages C75..), that is a failure too.
check() {
  local file=$1 macros=()
  for macro in "${@:2}"; do macros+=("-D$macro"); done
  "$CLANG" -x cl -cl-std=CL1.2 -O3 -w -Dasm=__asm__ -ffp-contract=off \
    --target=nvptx64-nvidia-nvcl "-march=${arch%a}" -Xclang -target-feature -Xclang +ptx80 -Xclang -mlink-builtin-bitcode -Xclang "$LIBCLC" \
    "${macros[@]}" -S "$kernels/$file" -o "$work/kernel.ptx"
  if [[ $arch == *a ]]; then
    sed -i -E 's#^(\s*)//sm_90a #\1#; s/^\.target sm_90\b/&a/' "$work/kernel.ptx"
  fi
  "$PTXAS" "-arch=$arch" -v "$work/kernel.ptx" -o "$work/kernel.cubin" >"$work/log" 2>&1 || passes "$work/log"
  awk -v head="$arch $file ${*:2}" '
    BEGIN { print head }
    /entry function/ { split($0, part, "\x27"); name = part[2] }
    /\(C75[0-9][0-9]\)/ { print; bad = 1 }
    /spill stores/ { spills = $5 + $9; if (spills > 64) bad = 1 }
    /Used/ {
      local = 0
      for (i = 1; i < NF; i++) if ($(i + 2) ~ /^smem/) local = $i
      printf "  %-26s %3d registers, %5d bytes of local memory, %d bytes spilled\n", name, $5, local, spills
    }
    END { exit bad }' "$work/log"
}

# passes LOG: whether ptxas has nothing to say of a kernel for sm_90a but that it declares more local
# memory than the driver reports, which it takes all the same (README.md).
passes() {
  [[ $arch == *a ]] && ! grep -i error "$1" | grep -qv 'uses too much shared data' || { cat "$1"; exit 1; }
}

if (($# == 0)); then set -- sm_80 sm_90; fi
for arch in "$@"; do
  for edge in 4 8; do check matmul_gpu.cl "WORK=$edge" STEPS=8 BIAS=1 GELU=1; done
  check matmul_gpu.cl WORK=8 STEPS=8 TRANSPOSE_A=1 ACCUMULATE=1
  check matmul_tensor.cl PTX=1 BIAS=1 GELU=1
  check matmul_tensor.cl PTX=1 ACCUMULATE=1 A_ACROSS=1 B_ACROSS=1 RAGGED=0
  check matmul_tensor.cl PTX=1 BIAS=1 GELU=1 SOURCE_BF16=1 C_BF16=1 ACTIVATED_BF16=1
  check matmul_tensor.cl PTX=1 BIAS=1 GELU=2 C_BF16=1 ACTIVATED_BF16=1
  check matmul_gpu.cl WORK=8 STEPS=8 BIAS=1 GELU=1 A_BF16=1 C_BF16=1 ACTIVATED_BF16=1
  check matmul_gpu.cl WORK=8 STEPS=8 TRANSPOSE_B=1 BIAS=1 GELU=2
  check matmul_tensor.cl PTX=1 ROWS=64 COLUMNS=64 WARP_ROWS=32 WARP_COLUMNS=32 STAGES=4
  check attention_gpu.cl D=64 CAUSAL=1 PASS=0 WORK=4
  check attention_gpu.cl D=64 CAUSAL=1 PASS=0 WORK=4 QKV_BF16=1 Y_BF16=1
  check attention_gpu.cl D=64 CAUSAL=1 PASS=1 WORK=2 QKV_BF16=1 Y_BF16=1
  for pass in 1 2; do check attention_gpu.cl D=64 CAUSAL=1 "PASS=$pass" WORK=2; done
  for pass in 0 1 2; do check attention_tensor.cl PTX=1 D=64 DEPTH=64 CAUSAL=1 DROPOUT=1 "PASS=$pass"; done
  for pass in 0 1 2; do
    check attention_tensor.cl PTX=1 D=64 DEPTH=64 CAUSAL=1 "PASS=$pass" SOURCE_BF16=1 Y_BF16=1 GRADIENT_BF16=1
  done
  check attention_tensor.cl PTX=1 D=128 DEPTH=128 CAUSAL=1 BLOCK=32 PASS=0
  for pass in 1 2; do check attention_tensor.cl PTX=1 D=128 DEPTH=128 CAUSAL=1 BLOCK=32 STAGES=1 "PASS=$pass"; done
  check elementwise.cl WIDTH=1 ITEMS=256 VECTORS=4
  check elementwise.cl WIDTH=1 ITEMS=256 VECTORS=4 X_BF16=1 Y_BF16=1
  for bf16 in 0 1; do check adamw.cl WIDTH=1 ITEMS=256 VECTORS=4 "ROUNDED_BF16=$bf16"; done
  check layernorm.cl WIDTH=1 ITEMS=128 ROWS=1 ROW_BLOCK=64
  check layernorm.cl WIDTH=1 ITEMS=128 ROWS=1 ROW_BLOCK=64 Y_BF16=1 DY_BF16=1
  check layernorm.cl WIDTH=1 ITEMS=128 ROWS=1 ROW_BLOCK=64 Y_BF16=1 DROPOUT=1
  for values in 24 64; do
    for drops in 0 1; do check layernorm_held.cl PTX=1 "VALUES=$values" Y_BF16=1 DY_BF16=1 "DROPOUT=$drops"; done
  done
  for bf16 in 0 1; do check reduce.cl WIDTH=1 ITEMS=64 ROW_BLOCK=64 "X_BF16=$bf16"; done
  check softmax_cross_entropy.cl WIDTH=1 ITEMS=256 CHUNK=16 ROWS=1
  for bf16 in 0 1; do check softmax_cross_entropy_held.cl ITEMS=512 VALUES=99 "LOGITS_BF16=$bf16"; done
  check embedding.cl WIDTH=1 ITEMS=128 ROWS=1 BUCKETS=1024
done

# Where sm_90 was asked for, also what needs sm_90a.
if [[ " $* " == *" sm_90 "* ]]; then
  arch=sm_90a
  for bf16 in 0 1; do
    types=(SOURCE_BF16=1 "Y_BF16=$bf16" "GRADIENT_BF16=$bf16")
    check attention_wgmma.cl PTX=1 D=64 DEPTH=64 CAUSAL=1 PASS=0 OWN=128 "DROPOUT=$bf16" "${types[@]}"
    for pass in 1 2; do
      check attention_wgmma.cl PTX=1 D=64 DEPTH=64 CAUSAL=1 "PASS=$pass" "DROPOUT=$bf16" "${types[@]}"
    done
  done
  check matmul_wgmma.cl PTX=1 BIAS=1 GELU=1
  check matmul_wgmma.cl PTX=1 ACCUMULATE=1 A_ACROSS=1 B_ACROSS=1 RAGGED=0
  check matmul_wgmma.cl PTX=1 BIAS=1 GELU=1 SOURCE_BF16=1 C_BF16=1 ACTIVATED_BF16=1 B_ACROSS=1 RAGGED=0
  check matmul_wgmma.cl PTX=1 ROWS=64 COLUMNS=64
  check matmul_wgmma.cl PTX=1 STAGES=4 OPEN=1
  wide=(ROWS=192 COLUMNS=256 STAGES=6 OPEN=1 STEP=32)
  check matmul_wgmma.cl PTX=1 "${wide[@]}"
  check matmul_wgmma.cl PTX=1 BIAS=1 GELU=1 C_BF16=1 ACTIVATED_BF16=1 B_ACROSS=1 RAGGED=0 "${wide[@]}"
  check matmul_wgmma.cl PTX=1 BIAS=1 GELU=2 C_BF16=1 ACTIVATED_BF16=1 RAGGED=0 "${wide[@]}"
fi
