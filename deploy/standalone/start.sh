#!/usr/bin/env bash
# Starts a standalone cluster from a Spark 4.1 distribution: on its first host `start.sh master`, on every host
# `start.sh worker spark://FIRST:7077`. Where nvidia-smi works, a worker offers its GPUs.
#
# SPARK_HOME  the distribution
# CORES       of a worker (default: the machine's)
# MEMORY      of a worker's executors (default: Spark's own: the machine's less 1g)
set -euo pipefail

deploy=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)
: "${SPARK_HOME:?set SPARK_HOME to a Spark 4.1 distribution}"

gpu_options() {
  local found
  found=$("$deploy/gpus.sh" 2>/dev/null) || return 0
  printf -- '-Dspark.worker.resource.gpu.amount=%d -Dspark.worker.resource.gpu.discoveryScript=%s' \
    "$(grep -o '"[0-9A-Fa-f]*:[^"]*"' <<<"$found" | wc -l)" "$deploy/gpus.sh"
}

case ${1:-} in
  master) exec "$SPARK_HOME/sbin/start-master.sh" ;;
  worker)
    [[ ${2:-} == spark://* ]] || { echo "usage: $0 worker spark://HOST:7077" >&2; exit 2; }
    SPARK_WORKER_OPTS="${SPARK_WORKER_OPTS:-} $(gpu_options)"
    export SPARK_WORKER_OPTS
    exec "$SPARK_HOME/sbin/start-worker.sh" ${CORES:+--cores "$CORES"} ${MEMORY:+--memory "$MEMORY"} "$2"
    ;;
  *) echo "usage: $0 master | worker spark://HOST:7077" >&2; exit 2 ;;
esac
