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
import org.apache.spark.scheduler.SparkListenerStageSubmitted;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Notes why the tasks of one gang ended, and stops Spark from trying again where that is of no use.
 */
final class GangWatch extends SparkListener {
  private static final String JOB_GROUP = "spark.jobGroup.id";
  private static final long SETTLE_MILLISECONDS = 5000;

  /** Decides whether Spark may start the stage again. */
  @FunctionalInterface
  interface Retries {
    boolean allows(String cause);
  }

  private record Ending(RankException.Kind kind, String message) {}

  private final SparkContext context;
  private final String group;
  private final Retries retries;
  private final Set<Integer> stages = new HashSet<>();
  private final List<Ending> endings = new ArrayList<>();
  private Ending told;

  GangWatch(SparkContext context, String group, Retries retries) {
    this.context = context;
    this.group = group;
    this.retries = retries;
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

  @Override
  public synchronized void onStageSubmitted(SparkListenerStageSubmitted stage) {
    boolean again = stage.stageInfo().attemptNumber() > 0;
    if (!again || !stages.contains(stage.stageInfo().stageId()) || endings.isEmpty()) {
      return;
    }
    told = deepest();
    endings.clear();
    if (!retries.allows(told.message())) {
      context.cancelJobGroup(group);
    }
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

  private Ending deepest() {
    return endings.stream().min(Comparator.comparing(Ending::kind)).orElse(told);
  }

  /** The ending of the whole job, told by the rank that ended first for a reason of its own. */
  GangException explain(Exception thrown) {
    try {
      context.listenerBus().waitUntilEmpty(SETTLE_MILLISECONDS);
    } catch (TimeoutException e) {
      thrown.addSuppressed(e);
    }
    synchronized (this) {
      Ending ending = deepest();
      return ending == null
          ? new GangException(RankException.Kind.FAILED, thrown.getMessage(), thrown)
          : new GangException(ending.kind(), ending.message(), thrown);
    }
  }
}
