package org.sparkformer.spark;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import org.apache.spark.ExceptionFailure;
import org.apache.spark.ExecutorLostFailure;
import org.apache.spark.SparkContext;
import org.apache.spark.TaskEndReason;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.scheduler.SparkListenerTaskStart;
import scala.jdk.javaapi.CollectionConverters;

/** Notes why the tasks of one gang ended. */
final class GangWatch extends SparkListener {
  private static final String JOB_GROUP = "spark.jobGroup.id";
  private static final long SETTLE_MILLISECONDS = 5000;

  private record Ending(RankException.Kind kind, String message) {}

  private final SparkContext context;
  private final String group;
  private final Set<Integer> stages = new HashSet<>();
  private final List<Ending> endings = new ArrayList<>();
  private boolean begun;

  GangWatch(SparkContext context, String group) {
    this.context = context;
    this.group = group;
  }

  @Override
  public synchronized void onJobStart(SparkListenerJobStart job) {
    if (job.properties() != null && group.equals(job.properties().getProperty(JOB_GROUP))) {
      CollectionConverters.asJava(job.stageIds()).forEach(id -> stages.add((Integer) id));
    }
  }

  @Override
  public synchronized void onTaskEnd(SparkListenerTaskEnd task) {
    if (stages.contains(task.stageId())) {
      note(task.reason());
    }
  }

  /** All of a barrier stage start together. */
  @Override
  public synchronized void onTaskStart(SparkListenerTaskStart task) {
    begun |= stages.contains(task.stageId());
  }

  /** Whether the ranks were given their slots. */
  synchronized boolean hasBegun() {
    return begun;
  }

  private void note(TaskEndReason reason) {
    if (reason instanceof ExceptionFailure failure) {
      Throwable thrown = failure.exception().isDefined() ? failure.exception().get() : null;
      Ending ending =
          thrown instanceof RankException rank
              ? new Ending(rank.kind(), rank.getMessage())
              : new Ending(RankException.Kind.FAILED, failure.toErrorString());
      endings.add(ending);
      if (ending.kind().lasting()) {
        context.cancelJobGroup(group);
      }
    } else if (reason instanceof ExecutorLostFailure lost) {
      endings.add(new Ending(RankException.Kind.FAILED, lost.toErrorString()));
    }
  }

  /**
   * Ends the job, of which a rank is stuck. On a cluster Spark ends its process and the work can be
   * tried again; in local mode it keeps the driver's own.
   */
  synchronized void abandon(String cause) {
    endings.add(
        new Ending(
            context.isLocal() ? RankException.Kind.HOPELESS : RankException.Kind.FAILED, cause));
    context.cancelJobGroup(group);
  }

  /** The ending of the whole job, told by the rank that ended first for a reason of its own. */
  GangException explain(Throwable thrown) {
    try {
      context.listenerBus().waitUntilEmpty(SETTLE_MILLISECONDS);
    } catch (TimeoutException e) {
      thrown.addSuppressed(e);
    }
    synchronized (this) {
      return endings.stream()
          .min(Comparator.comparing(Ending::kind))
          .map(ending -> new GangException(ending.kind(), ending.message(), thrown))
          .orElseGet(
              () -> new GangException(RankException.Kind.FAILED, thrown.getMessage(), thrown));
    }
  }
}
