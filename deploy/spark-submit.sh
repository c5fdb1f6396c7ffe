#!/usr/bin/env bash
# Runs a sparkformer command on a cluster: deploy/spark-submit.sh train gpt2 --set data.dataset=hdfs:///data/text ...
#
# SPARK_HOME  a Spark 4.1 distribution (default: the spark-submit on the PATH)
# MASTER      for instance spark://host:7077 or yarn (default: that of spark-defaults.conf)
# EXECUTORS   how many (default 2), each with CORES (1) and MEMORY (4g)
#
# Logs as deploy/log4j2.properties says, unless the distribution's conf/ has a log4j2.properties.
set -euo pipefail

home=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)
jar=$home/modules/app/target/sparkformer.jar
submit=${SPARK_HOME:+$SPARK_HOME/bin/}spark-submit

[[ -f $jar ]] || { echo "no $jar: build it with ./sparkformer --help" >&2; exit 2; }
command -v "$submit" >/dev/null || { echo "no spark-submit: set SPARK_HOME to a Spark 4.1 distribution" >&2; exit 2; }

if [[ ! -f ${SPARK_CONF_DIR:-${SPARK_HOME:-}/conf}/log4j2.properties ]]; then
  export SPARK_SUBMIT_OPTS="-Dlog4j2.configurationFile=$home/deploy/log4j2.properties ${SPARK_SUBMIT_OPTS:-}"
fi
cores=${CORES:-1}
executors=${EXECUTORS:-2}
exec "$submit" ${MASTER:+--master "$MASTER"} \
  --conf spark.executor.instances="$executors" --conf spark.cores.max=$((executors * cores)) \
  --executor-cores "$cores" --executor-memory "${MEMORY:-4g}" \
  --class org.sparkformer.app.Sparkformer "$jar" "$@"
