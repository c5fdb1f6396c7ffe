package org.sparkformer.spark;

import java.util.Arrays;
import java.util.List;
import org.apache.spark.BarrierTaskContext;
import org.apache.spark.SparkEnv;
import org.apache.spark.resource.ResourceInformation;

/** One rank's place in its gang, and how it meets the others before they have a transport. */
final class RankContext {
  private final BarrierTaskContext task;
  private final int launch;

  RankContext(BarrierTaskContext task, int launch) {
    this.task = task;
    this.launch = launch;
  }

  /** This rank, from 0. */
  int rank() {
    return task.partitionId();
  }

  /** Number of ranks. */
  int size() {
    return task.getTaskInfos().length;
  }

  /** How often the driver launched the gang of this run before. */
  int attempt() {
    return launch;
  }

  /** The process that this rank runs in; ranks with the same one share memory. */
  String process() {
    return SparkEnv.get().executorId();
  }

  /** Whether this rank is a thread of the driver's own process, as in local mode. */
  boolean onDriver() {
    return process().equals("driver");
  }

  /** The hosts of all ranks, by rank. */
  List<String> hosts() {
    return Arrays.stream(task.getTaskInfos())
        .map(info -> info.address().replaceFirst(":\\d+$", ""))
        .toList();
  }

  /**
   * The addresses of the GPUs that Spark's scheduler gave this rank; none without GPU scheduling.
   */
  List<String> gpuAddresses() {
    ResourceInformation gpus = task.resourcesJMap().get("gpu");
    return gpus == null ? List.of() : List.of(gpus.addresses());
  }

  /** Ends the task as killed where Spark has killed it: then nothing went wrong here. */
  void endIfKilled() {
    task.killTaskIfInterrupted();
  }

  /**
   * Gives every rank every rank's message, by rank. Waits for all of them, and at least a second
   * where there are several: Spark looks for the answer once a second.
   */
  List<String> allGather(String message) {
    return size() == 1 ? List.of(message) : List.of(task.allGather(message));
  }
}
