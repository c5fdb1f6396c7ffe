#!/usr/bin/env bash
# Stops this host's worker and master, whichever run.
set -euo pipefail
: "${SPARK_HOME:?set SPARK_HOME to a Spark 4.1 distribution}"
"$SPARK_HOME/sbin/stop-worker.sh"
"$SPARK_HOME/sbin/stop-master.sh"
