package org.sparkformer.spark;

import java.time.Duration;
import java.util.OptionalInt;
import org.apache.spark.SparkContext;
import org.apache.spark.resource.ResourceProfile;

/** How many ranks a cluster can run at the same time. */
final class GangSlots {
  private static final long POLL_MILLISECONDS = 200;

  private final SparkContext context;
  private final Duration patience;

  /**
   * @param patience how long to wait for executors to come
   */
  GangSlots(SparkContext context, Duration patience) {
    this.context = context;
    this.patience = patience;
  }

  /**
   * The number of ranks to use: as asked, else one for each executor, else (in local mode) one.
   * Returns once the cluster has room for all of them.
   *
   * @throws IllegalArgumentException when it has not
   */
  int await(OptionalInt asked) throws InterruptedException {
    int ranks = asked.orElseGet(() -> context.isLocal() ? 1 : expectedExecutors());
    long deadline = System.nanoTime() + patience.toNanos();
    boolean growing = !context.isLocal();
    while (growing && lacking(ranks, asked) && System.nanoTime() < deadline) {
      Thread.sleep(POLL_MILLISECONDS);
    }
    int found = slots();
    int needed = asked.isPresent() ? ranks : Math.max(ranks, executors());
    if (found < needed || needed == 0) {
      throw new IllegalArgumentException(tooFew(Math.max(1, needed), found));
    }
    return needed;
  }

  private boolean lacking(int ranks, OptionalInt asked) {
    return slots() < Math.max(1, ranks) || (asked.isEmpty() && executors() < ranks);
  }

  private String tooFew(int needed, int found) {
    return "%d ranks need %d task slots at the same time, but %s has %d%s (spark.task.cpus is %s); "
            .formatted(
                needed,
                needed,
                context.master(),
                found,
                context.isLocal() ? "" : " after waiting " + patience.toSeconds() + " s",
                context.conf().get("spark.task.cpus", "1"))
        + (context.isLocal()
            ? "use --master local[%d] or more, or fewer --ranks".formatted(needed)
            : "add executors or cores, free those that other applications hold, or use fewer"
                + " --ranks");
  }

  /** Executors that were asked for; 0 where the cluster decides. */
  private int expectedExecutors() {
    return Master.executors(context.master())
        .orElseGet(() -> context.conf().getInt("spark.executor.instances", 0));
  }

  /** Executors that have come, the driver left out. */
  private int executors() {
    return context.isLocal() ? 1 : context.getExecutorMemoryStatus().size() - 1;
  }

  // What Spark itself asks before it starts a barrier stage; visible to Java, private in Scala.
  private int slots() {
    ResourceProfile profile = context.resourceProfileManager().defaultResourceProfile();
    return context.maxNumConcurrentTasks(profile);
  }
}
