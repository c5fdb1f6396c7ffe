package org.sparkformer.spark;

import java.time.Duration;
import java.util.OptionalInt;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.apache.spark.SparkContext;
import org.apache.spark.resource.ResourceProfile;

/** How many ranks a cluster can run at the same time, before each launch of a gang anew. */
final class GangSlots {
  private static final long POLL_MILLISECONDS = 200;

  /** Without a number to expect, executors that come within this time of each other count. */
  private static final Duration SETTLING = Duration.ofSeconds(3);

  private final SparkContext context;
  private final OptionalInt asked;
  private final Duration patience;
  private final Consumer<String> messages;
  private int ranks;
  private int mostRanks;
  private int expected;
  private long shortSince;

  /**
   * @param asked ranks, whatever the number of executors; empty: one for each executor
   * @param patience how long to wait for executors to come
   * @param messages told where fewer have come than were expected
   */
  GangSlots(SparkContext context, OptionalInt asked, Duration patience, Consumer<String> messages) {
    this.context = context;
    this.asked = asked;
    this.patience = patience;
    this.messages = messages;
    this.expected = expectedExecutors();
  }

  /**
   * The number of ranks to launch: as asked, else one for each executor, else (in local mode) one.
   * Returns once the cluster has room for all of them. Executors that were asked for, or were there
   * during the launch before, are waited for; where they do not come, those that have will do.
   *
   * @throws IllegalArgumentException when there is no room for the ranks that were asked for, or
   *     for any
   */
  int await() throws InterruptedException {
    if (context.isLocal()) {
      ranks = requireRoom(asked.orElse(1));
    } else if (asked.isPresent()) {
      waitUntil(() -> slots() >= asked.getAsInt());
      ranks = requireRoom(asked.getAsInt());
    } else {
      awaitExecutors();
      ranks = settle();
    }
    mostRanks = Math.max(mostRanks, ranks);
    shortSince = System.nanoTime();
    return ranks;
  }

  /** What {@link #await} returned last. */
  int ranks() {
    return ranks;
  }

  /** The most that it has returned. */
  int mostRanks() {
    return mostRanks;
  }

  /**
   * Looks at the cluster while a gang is launched, about once a second: who comes meanwhile is
   * waited for before the next launch.
   *
   * @param begun whether the ranks have: what they lose from then on, they notice themselves
   * @return whether slots have been missing for so long that the ranks are not to be waited for
   */
  boolean isTooShort(int launched, boolean begun) {
    long now = System.nanoTime();
    expected = Math.max(expected, executors());
    if (begun || slots() >= launched) {
      shortSince = now;
    }
    boolean tooShort = now - shortSince > patience.toNanos();
    if (tooShort) {
      expected = executors();
    }
    return tooShort;
  }

  /** Why {@link #isTooShort}. */
  String shortage(int launched) {
    return "%d ranks have waited %d s for as many task slots, but %s has %d"
        .formatted(launched, patience.toSeconds(), context.master(), slots());
  }

  private void awaitExecutors() throws InterruptedException {
    if (expected > 0) {
      waitUntil(() -> room() >= expected);
    } else {
      waitUntilSettled();
    }
  }

  private int settle() {
    int found = room();
    if (found == 0) {
      throw new IllegalArgumentException(tooFew(Math.max(1, expected), slots()));
    }
    if (found < expected) {
      messages.accept(
          "of %d executors %d have come within %d s: training on %s, and on more after a restart that finds them"
              .formatted(
                  expected, found, patience.toSeconds(), found == 1 ? "1 rank" : found + " ranks"));
    }
    expected = found;
    return found;
  }

  private int requireRoom(int needed) {
    int found = slots();
    if (found < needed) {
      throw new IllegalArgumentException(tooFew(needed, found));
    }
    return needed;
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

  /** Ranks for which there is an executor each. */
  private int room() {
    return Math.min(executors(), slots());
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
