#!/usr/bin/env bash
# Runs a sparkformer command on YARN, the driver in the cluster: deploy/yarn/submit.sh train gpt2 --out hdfs:///runs/gpt2 ...
#
# SPARK_HOME        a Spark 4.1 distribution (default: the spark-submit on the PATH)
# HADOOP_CONF_DIR   the cluster's configuration
# EXECUTORS         how many (default 2), each with CORES (1), MEMORY (4g) and OVERHEAD (4g, memory beside Java's heap)
# GPUS              GPUs of an executor, 0 for CPUs (default 0); a rank takes one
# LABEL             node label of executors and driver (default: none)
# QUEUE             (default: default)
set -euo pipefail

home=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/../.." && pwd)
jar=$home/modules/app/target/sparkformer.jar
submit=${SPARK_HOME:+$SPARK_HOME/bin/}spark-submit

[[ -f $jar ]] || { echo "no $jar: build it with ./sparkformer --help" >&2; exit 2; }
: "${HADOOP_CONF_DIR:?set HADOOP_CONF_DIR to the folder of yarn-site.xml and core-site.xml}"

# A log4j2.properties among an application's files is what its containers log by.
files=$home/deploy/log4j2.properties
options=(--master yarn --deploy-mode cluster --queue "${QUEUE:-default}"
  --num-executors "${EXECUTORS:-2}" --executor-cores "${CORES:-1}" --executor-memory "${MEMORY:-4g}"
  --conf "spark.executor.memoryOverhead=${OVERHEAD:-4g}"
  --conf spark.yarn.maxAppAttempts=2 --conf spark.yarn.submit.waitAppCompletion=true)
if ((${GPUS:-0} > 0)); then
  # YARN's resource yarn.io/gpu is asked for by Spark itself.
  files+=,$home/deploy/gpus.sh
  options+=(--conf spark.executor.resource.gpu.discoveryScript=./gpus.sh
    --conf "spark.executor.resource.gpu.amount=$GPUS" --conf spark.task.resource.gpu.amount=1)
fi
if [[ -n ${LABEL:-} ]]; then
  options+=(--conf "spark.yarn.executor.nodeLabelExpression=$LABEL" --conf "spark.yarn.am.nodeLabelExpression=$LABEL")
fi
exec "$submit" "${options[@]}" --files "$files" --class org.sparkformer.app.Sparkformer "$jar" "$@"
