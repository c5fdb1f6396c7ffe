package org.sparkformer.spark;

import java.time.Duration;
import java.util.OptionalInt;
import java.util.function.BooleanSupplier;
import org.apache.spark.SparkContext;
import org.apache.spark.resource.ResourceProfile;

/** How many ranks a cluster can run at the same time. */
final class GangSlots {
  private static final long POLL_MILLISECONDS = 200;

  /** Without a number to expect, executors that come within this time of each other count. */
  private static final Duration SETTLING = Duration.ofSeconds(3);

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
    if (context.isLocal()) {
      return requireRoom(asked.orElse(1));
    }
    int expected = asked.orElseGet(this::expectedExecutors);
    if (expected > 0) {
      waitUntil(() -> slots() >= expected && (asked.isPresent() || executors() >= expected));
      return requireRoom(expected);
    }
    waitUntilSettled();
    return requireRoom(Math.max(1, executors()));
  }

  private int requireRoom(int ranks) {
    int found = slots();
    if (found < ranks) {
      throw new IllegalArgumentException(tooFew(ranks, found));
    }
    return ranks;
  }

  private void waitUntil(BooleanSupplier condition) throws InterruptedException {
    long deadline = System.nanoTime() + patience.toNanos();
    while (!condition.getAsBoolean() && System.nanoTime() < deadline) {
      Thread.sleep(POLL_MILLISECONDS);
    }
  }

  private void waitUntilSettled() throws InterruptedException {
    int[] seen = {0};
    long[] since = {System.nanoTime()};
    waitUntil(
        () -> {
          long now = System.nanoTime();
          if (executors() != seen[0]) {
            seen[0] = executors();
            since[0] = now;
          }
          return seen[0] > 0 && now - since[0] > SETTLING.toNanos();
        });
  }

  private String tooFew(int needed, int found) {
    String room =
        "%d ranks need %d task slots at the same time, but %s has %d"
            .formatted(needed, needed, context.master(), found);
    String cores =
        " (spark.task.cpus is %s); ".formatted(context.conf().get("spark.task.cpus", "1"));
    return context.isLocal()
        ? room + cores + "use --master local[%d] or more, or fewer --ranks".formatted(needed)
        : room
            + " after waiting %d s".formatted(patience.toSeconds())
            + cores
            + "add executors or cores, free those that other applications hold, or use fewer"
            + " --ranks";
  }

  /** Executors that were asked for; 0 where the cluster decides. */
  private int expectedExecutors() {
    return Master.executors(context.master())
        .orElseGet(() -> context.conf().getInt("spark.executor.instances", 0));
  }

  /** Executors that have come, the driver left out. */
  private int executors() {
    return context.getExecutorMemoryStatus().size() - 1;
  }

  // What Spark itself asks before it starts a barrier stage; visible to Java, private in Scala.
  private int slots() {
    ResourceProfile profile = context.resourceProfileManager().defaultResourceProfile();
    return context.maxNumConcurrentTasks(profile);
  }
}
