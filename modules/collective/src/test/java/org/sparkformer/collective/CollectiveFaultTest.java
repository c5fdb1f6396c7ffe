package org.sparkformer.collective;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.FloatBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

final class CollectiveFaultTest {
  private static final int SIZE = 3;
  private static final int LENGTH = 40_000;
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final Duration SHORT = Duration.ofSeconds(3);
  private static final FaultyTransport.Fault NONE = (peer, frame, out) -> out.send(frame);

  @Test
  void repeatedFramesAreAddedOnce() {
    FaultyTransport.Fault twice =
        (peer, frame, out) -> {
          out.send(frame);
          out.send(frame);
        };
    for (Gang.Outcome<float[]> outcome : outcomes(twice, LONG, CollectiveFaultTest::threeSums)) {
      assertNull(outcome.failure());
      assertArrayEquals(expectedSum(), outcome.value());
    }
  }

  @Test
  void framesOfAnOlderAttemptNeverReachASum() {
    Queue<byte[]> old = new ConcurrentLinkedQueue<>();
    String run = Gang.newRun();
    FaultyTransport.Fault record =
        (peer, frame, out) -> {
          if (peer == 0) {
            old.add(frame);
          }
          out.send(frame);
        };
    gang(
        CollectiveOptions.of(run, 0, LONG).withChunkBytes(1 << 14),
        record,
        rank -> sum(rank, 1000f));
    AtomicInteger replayed = new AtomicInteger();
    FaultyTransport.Fault replay =
        (peer, frame, out) -> {
          if (peer == 0) {
            old.forEach(out::send);
            replayed.addAndGet(old.size());
          }
          out.send(frame);
        };
    List<Gang.Outcome<float[]>> outcomes =
        gang(
            CollectiveOptions.of(run, 1, LONG).withChunkBytes(1 << 14),
            replay,
            rank -> {
              float[] sum = threeSums(rank);
              if (rank.rank() == 0) {
                assertTrue(((TreeCollective) rank).staleFrames() > 0);
              }
              return sum;
            });
    assertTrue(replayed.get() > 0);
    for (Gang.Outcome<float[]> outcome : outcomes) {
      assertNull(outcome.failure());
      assertArrayEquals(expectedSum(), outcome.value());
    }
  }

  @Test
  void aFlippedBitAnywhereEndsTheCollectiveAndNamesItsSender() {
    Random random = new Random(11);
    for (int trial = 0; trial < 100; trial++) {
      AtomicInteger countdown = new AtomicInteger(random.nextInt(12));
      int bit = trial < 64 ? trial * 8 + random.nextInt(8) : random.nextInt(1 << 20);
      FaultyTransport.Fault flip =
          (peer, frame, out) -> {
            if (peer == 0 && countdown.getAndDecrement() == 0) {
              frame[bit / 8 % frame.length] ^= (byte) (1 << bit % 8);
            }
            out.send(frame);
          };
      assertEndsOnRankZero(outcomes(flip, LONG, CollectiveFaultTest::threeSums), "damaged", bit);
    }
  }

  @Test
  void aFrameCutShortEndsTheCollective() {
    for (int kept : new int[] {0, 1, 63, 64, 1000}) {
      AtomicBoolean done = new AtomicBoolean();
      FaultyTransport.Fault cut =
          (peer, frame, out) -> {
            boolean hit = peer == 0 && frame.length > kept && done.compareAndSet(false, true);
            out.send(hit ? Arrays.copyOf(frame, kept) : frame);
          };
      assertEndsOnRankZero(outcomes(cut, LONG, CollectiveFaultTest::threeSums), "damaged", kept);
    }
  }

  @Test
  void aTimeoutNamesTheSilentRankTheOperationAndItsNumber() {
    CountDownLatch waiters = new CountDownLatch(2);
    List<Gang.Outcome<float[]>> outcomes =
        outcomes(
            NONE,
            SHORT,
            rank -> {
              sum(rank, 1);
              if (rank.rank() == 2) {
                await(waiters);
                return null;
              }
              try {
                return sum(rank, 1);
              } finally {
                waiters.countDown();
              }
            });
    assertInstanceOf(CollectiveException.class, outcomes.get(0).failure());
    String all = outcomes.get(0).message() + outcomes.get(1).message();
    assertTrue(all.contains("all-reduce 1: no frame for 3.0 s; not heard from: rank 2"), all);
  }

  @Test
  void aRankThatGivesUpTakesItsPeersWithItAtOnce() {
    List<Gang.Outcome<float[]>> outcomes =
        outcomes(
            NONE,
            LONG,
            rank -> {
              if (rank.rank() == 1) {
                throw new IllegalStateException("out of memory on rank 1");
              }
              return sum(rank, 1);
            });
    assertTrue(outcomes.get(0).message().contains("rank 1 has left"), outcomes.get(0).message());
    assertInstanceOf(CollectiveException.class, outcomes.get(2).failure());
  }

  @Test
  void differentOperationsAtTheSameTimeAreNamed() {
    List<Gang.Outcome<float[]>> outcomes =
        outcomes(
            NONE,
            LONG,
            rank -> {
              if (rank.rank() == 1) {
                rank.barrier();
                return null;
              }
              return sum(rank, 1);
            });
    String message = outcomes.get(1).message();
    assertTrue(message.contains("all-reduce 0") && message.contains("barrier 0"), message);
    outcomes.forEach(o -> assertInstanceOf(CollectiveException.class, o.failure()));
  }

  @Test
  void differentLengthsAreNamed() {
    List<Gang.Outcome<float[]>> outcomes =
        outcomes(
            NONE,
            LONG,
            rank -> {
              int length = rank.rank() == 1 ? 10 : 11;
              rank.allReduce(List.of(FloatBuffer.allocate(length)), FloatBuffer.allocate(length));
              return null;
            });
    String message = outcomes.get(1).message();
    assertTrue(message.contains("44 bytes") && message.contains("40"), message);
    outcomes.forEach(o -> assertInstanceOf(CollectiveException.class, o.failure()));
  }

  @Test
  void closingWakesABlockedRank() throws InterruptedException {
    CollectiveOptions options = Gang.options(Gang.newRun(), LONG);
    List<InProcessTransport> pair = InProcessTransport.group(options.runId(), 0, 2);
    TreeCollective blocked = new TreeCollective(new SummationTree(2), pair.get(0), options);
    List<String> failure = new ArrayList<>();
    Thread waiter =
        new Thread(
            () -> {
              try {
                blocked.barrier();
              } catch (CollectiveException closed) {
                failure.add(closed.getMessage());
              }
            });
    waiter.start();
    blocked.close();
    waiter.join(LONG.toMillis());
    assertEquals(1, failure.size());
    assertTrue(failure.get(0).contains("rank 0 has closed"), failure.get(0));
  }

  @Test
  void anInterruptEndsTheWaitAndStaysVisible() {
    CollectiveOptions options = Gang.options(Gang.newRun(), LONG);
    List<InProcessTransport> pair = InProcessTransport.group(options.runId(), 0, 2);
    try (TreeCollective alone = new TreeCollective(new SummationTree(2), pair.get(0), options)) {
      Thread.currentThread().interrupt();
      String message = assertThrows(CollectiveException.class, alone::barrier).getMessage();
      assertTrue(Thread.interrupted(), message);
    }
  }

  private static void assertEndsOnRankZero(
      List<Gang.Outcome<float[]>> outcomes, String word, int where) {
    String message = outcomes.get(0).message();
    assertTrue(message.contains(word) && message.contains("rank "), where + ": " + message);
    for (Gang.Outcome<float[]> outcome : outcomes) {
      if (outcome.failure() == null) {
        assertArrayEquals(expectedSum(), outcome.value());
      } else {
        assertInstanceOf(CollectiveException.class, outcome.failure());
      }
    }
  }

  private static float[] threeSums(Collective rank) {
    sum(rank, 1);
    sum(rank, 2);
    rank.barrier();
    float[] sum = sum(rank, 1);
    rank.barrier();
    return sum;
  }

  private static float[] sum(Collective rank, float scale) {
    float[] values = new float[LENGTH];
    for (int i = 0; i < LENGTH; i++) {
      values[i] = scale * (rank.rank() + 1) * (i % 97);
    }
    FloatBuffer sum = FloatBuffer.allocate(LENGTH);
    rank.allReduce(List.of(FloatBuffer.wrap(values)), sum);
    return sum.array();
  }

  private static float[] expectedSum() {
    float[] sum = new float[LENGTH];
    for (int i = 0; i < LENGTH; i++) {
      sum[i] = 6 * (i % 97);
    }
    return sum;
  }

  private static List<Gang.Outcome<float[]>> outcomes(
      FaultyTransport.Fault fault, Duration timeout, Function<Collective, float[]> work) {
    return gang(Gang.options(Gang.newRun(), timeout), fault, work);
  }

  private static List<Gang.Outcome<float[]>> gang(
      CollectiveOptions options, FaultyTransport.Fault fault, Function<Collective, float[]> work) {
    List<FaultyTransport> transports = new ArrayList<>();
    for (Transport transport : InProcessTransport.group(options.runId(), options.attempt(), SIZE)) {
      transports.add(new FaultyTransport(transport, fault));
    }
    return Gang.outcomes(
        transports,
        transport -> new TreeCollective(new SummationTree(SIZE), transport, options),
        work);
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException interrupted) {
      throw new IllegalStateException(interrupted);
    }
  }
}
