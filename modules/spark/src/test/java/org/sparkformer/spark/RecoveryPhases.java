package org.sparkformer.spark;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerExecutorAdded;
import org.apache.spark.scheduler.SparkListenerExecutorRemoved;
import org.apache.spark.scheduler.SparkListenerJobEnd;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.apache.spark.scheduler.SparkListenerTaskStart;

/** How long after the loss of an executor Spark, and then training, got how far, over many runs. */
final class RecoveryPhases extends SparkListener {
  private final Map<String, List<Double>> seconds = new LinkedHashMap<>();
  private final Set<String> reached = new HashSet<>();
  private long begun;

  /** An executor is about to be killed. */
  synchronized void begin() {
    reached.clear();
    begun = System.nanoTime();
  }

  /** Counts the first time since {@link #begin}. */
  synchronized void reach(String phase) {
    if (begun != 0 && reached.add(phase)) {
      double since = (System.nanoTime() - begun) / 1e9;
      seconds.computeIfAbsent(phase, first -> new ArrayList<>()).add(since);
    }
  }

  /** A line a phase, the earliest first: the median of its seconds, and of how many. */
  synchronized String medians() {
    return seconds.entrySet().stream()
        .sorted(Comparator.comparingDouble(phase -> median(phase.getValue())))
        .map(
            phase ->
                "%5.1f s  %s (%d times)"
                    .formatted(median(phase.getValue()), phase.getKey(), phase.getValue().size()))
        .collect(Collectors.joining("\n"));
  }

  private static double median(List<Double> values) {
    return values.stream().sorted().toList().get(values.size() / 2);
  }

  @Override
  public void onExecutorRemoved(SparkListenerExecutorRemoved executor) {
    reach("Spark has told the driver that the executor is lost");
  }

  @Override
  public void onJobEnd(SparkListenerJobEnd job) {
    reach("the job has ended");
  }

  @Override
  public void onExecutorAdded(SparkListenerExecutorAdded executor) {
    reach("a new executor has come");
  }

  @Override
  public void onJobStart(SparkListenerJobStart job) {
    reach("the gang is launched");
  }

  @Override
  public void onTaskStart(SparkListenerTaskStart task) {
    reach("its first task begins");
  }
}
