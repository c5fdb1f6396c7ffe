#!/usr/bin/env bash
# Tells Spark which NVIDIA GPUs a worker, executor or driver has, as spark.*.resource.gpu.discoveryScript.
# Prints {"name":"gpu","addresses":["00000000:3b:00.0"]}: PCI bus addresses, by which OpenCL finds the same device
# (indices would not do, for OpenCL counts in another order).
set -euo pipefail

fail() { echo "gpus.sh: $*" >&2; exit 1; }

command -v nvidia-smi >/dev/null ||
  fail "there is no nvidia-smi on $HOSTNAME: install NVIDIA's driver, or leave spark.*.resource.gpu.* out to train on CPUs"
found=$(nvidia-smi --query-gpu=pci.bus_id --format=csv,noheader 2>&1) || fail "nvidia-smi failed on $HOSTNAME: $found"
addresses=()
while read -r address; do
  [[ -z $address ]] && continue
  [[ $address =~ ^[0-9A-Fa-f]{4,8}:[0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}\.[0-9A-Fa-f]$ ]] ||
    fail "nvidia-smi on $HOSTNAME says what is no PCI bus address: $address"
  addresses+=("\"$address\"")
done <<<"$found"
((${#addresses[@]})) || fail "nvidia-smi finds no GPU on $HOSTNAME"
list=$(IFS=,; echo "${addresses[*]}")
echo "{\"name\":\"gpu\",\"addresses\":[$list]}"
