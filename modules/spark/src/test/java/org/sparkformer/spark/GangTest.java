package org.sparkformer.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.holdenkarau.spark.testing.SharedJavaSparkContext;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.sparkformer.collective.CollectiveException;
import org.sparkformer.opencl.ProgramBuildException;

/** Ranks are threads here; what they share with the test lies in static fields. */
class GangTest extends SharedJavaSparkContext {
  private static final Charset UTF = StandardCharsets.UTF_8;
  private static final AtomicInteger RUNS = new AtomicInteger();
  private static final Semaphore WAITING = new Semaphore(0);
  private static final Semaphore INTERRUPTED = new Semaphore(0);

  @Override
  public SparkConf conf() {
    return SessionSettings.complete(super.conf(), "gang", "local[3]")
        .set("spark.scheduler.barrier.maxConcurrentTasksCheck.maxFailures", "1");
  }

  @BeforeEach
  void start() {
    runBefore();
    RUNS.set(0);
    WAITING.drainPermits();
    INTERRUPTED.drainPermits();
  }

  @AfterAll
  static void stop() {
    runAfterClass();
  }

  @Test
  void ranksMeetAndRankZeroAnswers() throws Exception {
    byte[] answer =
        gang(3).run(rank -> String.join(",", rank.allGather("r" + rank.rank())).getBytes(UTF), 7);
    assertEquals("r0,r1,r2", new String(answer, UTF));
  }

  /** Spark would wait for as many slots as before, for ever where an executor is gone for good. */
  @Test
  void aFailedGangIsNotStartedAgainBySpark() {
    GangException failed =
        failure(
            2,
            rank -> {
              RUNS.incrementAndGet();
              rank.allGather("all have begun");
              throw new IOException("disk on fire");
            });
    assertTrue(failed.getMessage().endsWith("disk on fire"), failed.getMessage());
    assertFalse(failed.lasting());
    assertEquals(2, RUNS.get());
  }

  @Test
  void whatCannotGetBetterIsNotTriedAgain() {
    GangException refused =
        failure(
            2,
            rank -> {
              if (rank.rank() == 1) {
                throw new IllegalArgumentException("model too wide");
              }
              throw new CollectiveException("rank 1 is gone");
            });
    assertEquals("model too wide", refused.getMessage());
    assertTrue(refused.lasting());
  }

  @Test
  void aKernelThatDoesNotCompileWillNotAtTheNextAttemptEither() {
    GangException failed =
        failure(
            2,
            rank -> {
              RUNS.incrementAndGet();
              throw new ProgramBuildException("cannot build matmul.cl", null);
            });
    assertEquals("cannot build matmul.cl", failed.getMessage());
    assertTrue(failed.lasting());
    assertFalse(failed.refused());
    assertTrue(RUNS.get() <= 2, RUNS + " runs of 2 ranks");
  }

  @Test
  void theCauseIsToldAndNotThePeersThatLostTheRank() {
    GangException failed =
        failure(
            3,
            rank -> {
              if (rank.rank() != 1) {
                throw new CollectiveException("rank 1 is gone");
              }
              throw new IOException("disk on fire");
            });
    assertTrue(failed.getMessage().startsWith("rank 1 of 3"), failed.getMessage());
    assertTrue(failed.getMessage().endsWith("disk on fire"), failed.getMessage());
    assertFalse(failed.lasting());
  }

  @Test
  void peersOfAFailedRankAreInterrupted() throws Exception {
    GangException failed =
        failure(
            2,
            rank -> {
              if (rank.rank() == 0) {
                // Until then the peer is not yet where it can be seen to be interrupted.
                WAITING.acquire();
                throw new IOException("disk on fire");
              }
              return waitForEver();
            });
    assertTrue(failed.getMessage().endsWith("disk on fire"), failed.getMessage());
    assertTrue(INTERRUPTED.tryAcquire(30, TimeUnit.SECONDS));
  }

  private GangException failure(int ranks, RankWork work) {
    return assertThrows(GangException.class, () -> gang(ranks).run(work, 0));
  }

  private Gang gang(int ranks) {
    return new Gang(jsc(), slots(OptionalInt.of(ranks)), ranks, List.of());
  }

  private GangSlots slots(OptionalInt asked) {
    return new GangSlots(jsc().sc(), asked, Duration.ZERO, message -> {});
  }

  @Test
  void tooFewSlotsAreCountedBeforeAnythingStarts() {
    GangSlots slots = slots(OptionalInt.of(4));
    String message = assertThrows(IllegalArgumentException.class, slots::await).getMessage();
    assertEquals(
        "4 ranks need 4 task slots at the same time, but local[3] has 3 (spark.task.cpus is 1); use"
            + " --master local[4] or more, or fewer --ranks",
        message);
  }

  @Test
  void localModeHasOneRankUnlessAskedForMore() throws Exception {
    assertEquals(1, slots(OptionalInt.empty()).await());
    assertEquals(3, slots(OptionalInt.of(3)).await());
  }

  /** An executor may go for good between its being counted and its tasks. */
  @Test
  void aGangThatIsGivenNoSlotsIsNotWaitedForWithoutAnEnd() {
    GangException failed =
        assertThrows(
            GangException.class,
            () ->
                new Gang(jsc(), slots(OptionalInt.of(4)), 4, List.of())
                    .run(rank -> UTF.encode("").array(), 0));
    assertEquals(
        "4 ranks have waited 0 s for as many task slots, but local[3] has 3", failed.getMessage());
  }

  private static byte[] waitForEver() throws InterruptedException {
    WAITING.release();
    try {
      Thread.sleep(Long.MAX_VALUE);
    } catch (InterruptedException e) {
      INTERRUPTED.release();
      throw e;
    }
    return new byte[0];
  }
}
