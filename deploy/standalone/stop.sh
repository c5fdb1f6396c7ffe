#!/usr/bin/env bash
# Stops this host's worker and master, whichever run; INSTANCE as for start.sh.
set -euo pipefail
: "${SPARK_HOME:?set SPARK_HOME to a Spark 4.1 distribution}"
command -v ps >/dev/null || { echo "Spark's daemons need ps (Debian: procps)" >&2; exit 2; }
for class in worker.Worker master.Master; do
  "$SPARK_HOME/sbin/spark-daemon.sh" stop "org.apache.spark.deploy.$class" "${INSTANCE:-1}"
done
