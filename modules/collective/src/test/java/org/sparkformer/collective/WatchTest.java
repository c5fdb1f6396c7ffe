package org.sparkformer.collective;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.FloatBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

final class WatchTest {
  /** A busy machine may leave a thread waiting for half a second. */
  private static final Duration TIMEOUT = Duration.ofMillis(1500);

  @Test
  void aTimeoutTellsWhatEachRankLastDid() {
    CountDownLatch waiters = new CountDownLatch(2);
    List<Gang.Outcome<Void>> outcomes =
        gang(
            transport -> transport,
            rank -> {
              rank.watch(Moving.at("step 4" + rank.rank()));
              rank.barrier();
              if (rank.rank() == 2) {
                await(waiters);
                return null;
              }
              try {
                rank.barrier();
                return null;
              } finally {
                waiters.countDown();
              }
            });
    String all = outcomes.get(0).message() + outcomes.get(1).message();
    assertTrue(all.contains("barrier 1: "), all);
    assertTrue(all.contains("no frame for 1.5 s; not heard from: rank 2; last known: "), all);
    assertTrue(
        all.matches(".*rank 0: step 40(?: \\(said [0-9.]+ s ago\\))?; rank 1: step 41.*"), all);
    assertTrue(all.matches(".*rank 2: step 42 \\(said [0-9.]+ s ago\\).*"), all);
  }

  @Test
  void aRankThatDoesNotMoveEndsTheCollectiveForAllAndIsNamed() {
    AtomicReference<String> report = new AtomicReference<>();
    CountDownLatch told = new CountDownLatch(1);
    List<Gang.Outcome<Void>> outcomes =
        gang(
            transport -> transport,
            rank -> {
              boolean stuck = rank.rank() == 1;
              rank.watch(
                  new Moving(
                      "a kernel of rank " + rank.rank(),
                      stuck ? TIMEOUT.multipliedBy(2) : TIMEOUT) {
                    @Override
                    public void stuck(String text) {
                      report.set(text);
                      told.countDown();
                    }
                  });
              if (stuck) {
                await(told);
              }
              rank.barrier();
              // Who wakes between the report and the end finds the others' frames of the first.
              rank.barrier();
              return null;
            });
    assertTrue(report.get().startsWith("rank 1: has not moved for 3.0 s; "), report.get());
    for (Gang.Outcome<Void> outcome : outcomes) {
      assertInstanceOf(CollectiveException.class, outcome.failure());
      assertTrue(outcome.message().contains("rank 1: a kernel of rank 1"), outcome.message());
    }
  }

  /** Frames keep coming, each well within the timeout; the whole takes longer. */
  @Test
  void aRankInASlowOperationIsNotTakenForStuck() {
    FaultyTransport.Fault slow =
        (peer, frame, out) -> {
          pause(TIMEOUT.dividedBy(15));
          out.send(frame);
        };
    gang(
            transport -> new FaultyTransport(transport, slow),
            rank -> {
              rank.watch(new Moving("a slow sum", TIMEOUT.multipliedBy(2)));
              FloatBuffer values = FloatBuffer.allocate(9 * (1 << 12));
              rank.allReduce(List.of(values), values);
              return null;
            })
        .forEach(outcome -> assertNull(outcome.failure()));
  }

  @Test
  void theLatestActivityCounts() {
    gang(
            transport -> transport,
            rank -> {
              rank.watch(new Moving("over", TIMEOUT.multipliedBy(2)));
              rank.watch(Moving.at("here"));
              pause(TIMEOUT.multipliedBy(2));
              rank.barrier();
              return null;
            })
        .forEach(outcome -> assertNull(outcome.failure()));
  }

  /** Rank 1's note takes longer than the timeout, and then nothing of it comes through any more. */
  @Test
  void aNoteIsWaitedForAsLongAsItsRankGivesSignsOfLife() {
    AtomicBoolean silent = new AtomicBoolean();
    CountDownLatch noticed = new CountDownLatch(1);
    FaultyTransport.Fault fault =
        (peer, frame, out) -> {
          if (!silent.get()) {
            out.send(frame);
          }
        };
    List<Gang.Outcome<Void>> outcomes =
        gang(
            transport -> transport.rank() == 1 ? new FaultyTransport(transport, fault) : transport,
            rank -> {
              rank.watch(Moving.at("step 4" + rank.rank()));
              if (rank.rank() == 1) {
                pause(TIMEOUT.multipliedBy(2));
                rank.post(0, new byte[] {7});
                silent.set(true);
              } else if (rank.rank() == 0) {
                assertArrayEquals(new byte[] {7}, take(rank, 1));
                try {
                  take(rank, 1);
                } finally {
                  noticed.countDown();
                }
              }
              await(noticed);
              return null;
            });
    String message = outcomes.get(0).message();
    assertInstanceOf(CollectiveException.class, outcomes.get(0).failure());
    assertTrue(
        message.contains("no sign of life for 1.5 s; not heard from: rank 1; last known: "),
        message);
    assertTrue(message.contains("rank 1: step 41 (said "), message);
  }

  /**
   * Rank 1 computes for longer than any silence may last, and is waited for; then its process
   * stops, as far as the others can see, and they end long before the step timeout.
   */
  @Test
  void aSlowRankIsWaitedForAndOneThatFallsSilentIsNot() {
    AtomicBoolean silent = new AtomicBoolean();
    CountDownLatch noticed = new CountDownLatch(2);
    FaultyTransport.Fault fault =
        (peer, frame, out) -> {
          if (!silent.get()) {
            out.send(frame);
          }
        };
    CollectiveOptions options =
        Gang.options(Gang.newRun(), Duration.ofMinutes(10)).withLongestSilence(TIMEOUT);
    List<Gang.Outcome<Void>> outcomes =
        gang(
            options,
            transport -> transport.rank() == 1 ? new FaultyTransport(transport, fault) : transport,
            rank -> {
              rank.watch(Moving.at("step 4" + rank.rank()));
              if (rank.rank() == 1) {
                pause(TIMEOUT.multipliedBy(2));
                rank.barrier();
                silent.set(true);
                await(noticed);
                return null;
              }
              rank.barrier();
              try {
                rank.barrier();
                return null;
              } finally {
                noticed.countDown();
              }
            });
    for (int rank : new int[] {0, 2}) {
      String message = outcomes.get(rank).message();
      assertTrue(message.contains("barrier 1: "), message);
      assertTrue(message.contains("no sign of life for 1.5 s; not heard from: rank 1"), message);
    }
  }

  private static byte[] take(Collective rank, int peer) {
    try {
      return rank.takeNote(peer);
    } catch (InterruptedException interrupted) {
      throw new AssertionError(interrupted);
    }
  }

  private static <T> List<Gang.Outcome<T>> gang(
      UnaryOperator<Transport> wrap, Function<Collective, T> work) {
    return gang(Gang.options(Gang.newRun(), TIMEOUT), wrap, work);
  }

  private static <T> List<Gang.Outcome<T>> gang(
      CollectiveOptions options, UnaryOperator<Transport> wrap, Function<Collective, T> work) {
    return Gang.outcomes(
        InProcessTransport.group(options.runId(), 0, 3).stream()
            .map(transport -> wrap.apply(transport))
            .toList(),
        transport -> new TreeCollective(new SummationTree(3), transport, options),
        work);
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException interrupted) {
      throw new AssertionError(interrupted);
    }
  }

  private static void pause(Duration duration) {
    try {
      Thread.sleep(duration.toMillis());
    } catch (InterruptedException interrupted) {
      throw new AssertionError(interrupted);
    }
  }

  private static class Moving implements Activity {
    private final String description;
    private final Duration stillness;

    Moving(String description, Duration stillness) {
      this.description = description;
      this.stillness = stillness;
    }

    static Moving at(String description) {
      return new Moving(description, Duration.ZERO);
    }

    @Override
    public String description() {
      return description;
    }

    @Override
    public Duration stillness() {
      return stillness;
    }
  }
}
