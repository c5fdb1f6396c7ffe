#!/usr/bin/env bash
# Starts a standalone cluster from a Spark 4.1 distribution: on its first host `start.sh master`, on every host
# `start.sh worker spark://FIRST:7077`. Where nvidia-smi works, a worker offers its GPUs. Logs lie in $SPARK_LOG_DIR
# (default: $SPARK_HOME/logs).
#
# SPARK_HOME  the distribution; that of PyPI's pyspark will do
# CORES       of a worker (default: the machine's)
# MEMORY      of a worker's executors (default: Spark's own: the machine's less 1g)
# INSTANCE    number of this master or worker, where a host runs several (default: 1)
set -euo pipefail

deploy=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)
: "${SPARK_HOME:?set SPARK_HOME to a Spark 4.1 distribution}"
command -v ps >/dev/null || { echo "Spark's daemons need ps (Debian: procps)" >&2; exit 2; }

gpu_options() {
  local found
  found=$("$deploy/gpus.sh" 2>/dev/null) || return 0
  printf -- '-Dspark.worker.resource.gpu.amount=%d -Dspark.worker.resource.gpu.discoveryScript=%s' \
    "$(grep -oE '"[0-9A-Fa-f]{4,8}:[^"]*"' <<<"$found" | wc -l)" "$deploy/gpus.sh"
}

# PyPI's distribution lacks start-master.sh and start-worker.sh, which call this same script. It tells no failure by its
# exit code.
daemon() {
  local class=org.apache.spark.deploy.$1
  "$SPARK_HOME/sbin/spark-daemon.sh" start "$class" "${INSTANCE:-1}" "${@:2}"
  "$SPARK_HOME/sbin/spark-daemon.sh" status "$class" "${INSTANCE:-1}" >/dev/null || exit 1
}

case ${1:-} in
  master)
    # As start-master.sh does it; left alone the class would take the address of any interface.
    host=${SPARK_MASTER_HOST:-$(hostname -f)}
    daemon master.Master --host "$host" --port "${SPARK_MASTER_PORT:-7077}"
    echo "on every host: deploy/standalone/start.sh worker spark://$host:${SPARK_MASTER_PORT:-7077}"
    ;;
  worker)
    [[ ${2:-} == spark://* ]] || { echo "usage: $0 worker spark://HOST:7077" >&2; exit 2; }
    SPARK_WORKER_OPTS="${SPARK_WORKER_OPTS:-} $(gpu_options)"
    export SPARK_WORKER_OPTS
    daemon worker.Worker ${CORES:+--cores "$CORES"} ${MEMORY:+--memory "$MEMORY"} "$2"
    ;;
  *) echo "usage: $0 master | worker spark://HOST:7077" >&2; exit 2 ;;
esac
