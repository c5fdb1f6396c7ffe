package org.sparkformer.spark.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.sparkformer.collective.Collective;
import org.sparkformer.collective.CollectiveException;
import org.sparkformer.collective.Transport;
import org.sparkformer.testkit.TamperingProxy;
import org.sparkformer.testkit.TamperingProxy.Fault;
import org.sparkformer.testkit.TamperingProxy.Framing;

/** Two ranks that keep three connections, with a proxy in each of them. */
final class SeveralConnectionsTest {
  private static final String RUN = "several-connections";
  private static final int CONNECTIONS = 3;
  private static final int ROUNDS = 100;
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final Fault NONE = (number, message, out) -> out.send(message);
  private static final SparkNetwork NETWORK = Networks.network(Networks.plain());

  @Test
  void eachConnectionCarriesItsShareOfTheFrames() throws Exception {
    AtomicIntegerArray frames = new AtomicIntegerArray(CONNECTIONS);
    IntFunction<Fault> count =
        connection ->
            (number, message, out) -> {
              frames.incrementAndGet(connection);
              out.send(message);
            };
    try (Pair pair = new Pair(count)) {
      CompletableFuture<Integer> one = CompletableFuture.supplyAsync(() -> sums(pair.one));
      assertEquals(ROUNDS, sums(pair.zero));
      assertEquals(ROUNDS, one.get());
    }
    int[] counts = IntStream.range(0, CONNECTIONS).map(frames::get).sorted().toArray();
    assertTrue(counts[0] > ROUNDS / CONNECTIONS, frames.toString());
    assertTrue(counts[CONNECTIONS - 1] - counts[0] <= 2, frames.toString());
  }

  /** The sender leaves at once; what is under way on a slow connection comes before its end. */
  @Test
  void framesArriveInOrderWhicheverConnectionIsSlow() throws Exception {
    Random random = new Random(5);
    IntFunction<Fault> slow =
        connection ->
            (number, message, out) -> {
              if (connection == 1) {
                pause(1 + number % 3);
              }
              out.send(message);
            };
    try (Pair pair = new Pair(slow)) {
      Receiver receiver = new Receiver();
      pair.zero.start(receiver);
      for (int number = 0; number < ROUNDS; number++) {
        pair.one.send(0, frame(number, 4 + random.nextInt(100_000)), () -> {});
      }
      pair.one.close();
      receiver.awaitLoss();
      assertEquals(IntStream.range(0, ROUNDS).boxed().toList(), receiver.numbers);
    }
  }

  @Test
  void theEndOfOneConnectionIsTheEndOfThePeer() throws Exception {
    try (Pair pair = new Pair(connection -> NONE)) {
      CompletableFuture<Integer> one = CompletableFuture.supplyAsync(() -> sums(pair.one));
      AtomicInteger rounds = new AtomicInteger();
      CollectiveException zero =
          assertThrows(
              CollectiveException.class,
              () -> {
                try (Collective collective = collective(pair.zero)) {
                  while (true) {
                    assertTrue(SummingPeer.sumIsRight(collective, rounds.get()), "a wrong sum");
                    if (rounds.incrementAndGet() == ROUNDS / 2) {
                      pair.proxy.cut(1);
                    }
                  }
                }
              });
      assertEnded(zero);
      assertTrue(rounds.get() >= ROUNDS / 2);
      assertEnded(assertThrows(ExecutionException.class, one::get).getCause());
    }
  }

  /** Each side sees the connection's end, or hears of it from the other, whichever comes first. */
  private static void assertEnded(Throwable ending) {
    String message = ending.getMessage();
    assertTrue(message.contains("the connection to rank") && message.contains("is lost"), message);
  }

  @Test
  void aConnectionThatIsAheadIsNotReadOn() throws Exception {
    CountDownLatch held = new CountDownLatch(1);
    IntFunction<Fault> hold =
        connection ->
            (number, message, out) -> {
              if (connection == 0 && number > 0) {
                await(held);
              }
              out.send(message);
            };
    try (Pair pair = new Pair(hold)) {
      Receiver receiver = new Receiver();
      pair.zero.start(receiver);
      for (int number = 0; number < 10 * ROUNDS; number++) {
        pair.one.send(0, frame(number, 100_000), () -> {});
      }
      pause(1000);
      held.countDown();
      pair.one.close();
      receiver.awaitLoss();
      assertEquals(IntStream.range(0, 10 * ROUNDS).boxed().toList(), receiver.numbers);
      int most = CONNECTIONS * (PeerLink.MOST_WAITING + 1);
      assertTrue(receiver.mostHeld.get() <= most, "held " + receiver.mostHeld);
    }
  }

  /** What comes before there is a receiver waits in the network, but for little. */
  @Test
  void aPeerThatIsEarlyIsNotReadOn() throws Exception {
    try (Pair pair = new Pair(connection -> NONE)) {
      AtomicInteger taken = new AtomicInteger();
      int frames = 30 * ROUNDS;
      for (int number = 0; number < frames; number++) {
        pair.one.send(0, frame(number, 100_000), taken::incrementAndGet);
      }
      pause(2000);
      assertTrue(taken.get() < frames / 2, "took " + taken);
      Receiver receiver = new Receiver();
      pair.zero.start(receiver);
      pair.one.close();
      receiver.awaitLoss();
      assertEquals(IntStream.range(0, frames).boxed().toList(), receiver.numbers);
    }
  }

  @Test
  void ranksThatKeepDifferentNumbersOfConnectionsAreTold() throws Exception {
    try (RankServer zero = SparkTransport.listen(NETWORK, RUN, 0, 2, 2);
        RankServer one = SparkTransport.listen(NETWORK, RUN, 0, 2, CONNECTIONS)) {
      List<String> addresses = List.of(zero.address(), one.address());
      String message =
          assertThrows(CollectiveException.class, () -> one.connect(addresses, 1, LONG))
              .getMessage();
      assertTrue(message.contains("training.connections must be the same on all"), message);
    }
  }

  private static Collective collective(SparkTransport transport) {
    return SparkTransportTest.collective(transport, RUN, 60);
  }

  private static int sums(SparkTransport transport) {
    try (Collective collective = collective(transport)) {
      for (int round = 0; round < ROUNDS; round++) {
        assertTrue(SummingPeer.sumIsRight(collective, round), "a wrong sum");
      }
      return ROUNDS;
    }
  }

  private static ByteBuffer frame(int number, int bytes) {
    return ByteBuffer.allocate(bytes).putInt(0, number);
  }

  private static void pause(int milliseconds) {
    try {
      Thread.sleep(milliseconds);
    } catch (InterruptedException interrupted) {
      throw new AssertionError(interrupted);
    }
  }

  private static void await(CountDownLatch latch) throws IOException {
    try {
      assertTrue(latch.await(LONG.toSeconds(), TimeUnit.SECONDS));
    } catch (InterruptedException interrupted) {
      throw new IOException(interrupted);
    }
  }

  /** Notes the numbers of frames in the order in which they are handed on. */
  private static final class Receiver implements Transport.Receiver {
    private final List<Integer> numbers = Collections.synchronizedList(new ArrayList<>());
    private final CountDownLatch lost = new CountDownLatch(1);
    private final AtomicInteger held = new AtomicInteger();
    private final AtomicInteger mostHeld = new AtomicInteger();

    @Override
    public Optional<ByteBuffer> memory(int peer, int bytes) {
      mostHeld.accumulateAndGet(held.incrementAndGet(), Math::max);
      return Optional.of(ByteBuffer.allocateDirect(bytes));
    }

    @Override
    public void received(int peer, ByteBuffer frame) {
      held.decrementAndGet();
      numbers.add(frame.getInt());
    }

    @Override
    public void lost(int peer, String reason) {
      lost.countDown();
    }

    void awaitLoss() throws IOException {
      SeveralConnectionsTest.await(lost);
    }
  }

  /** Both ranks, in this process; rank 1 calls rank 0 through the proxy. */
  private static final class Pair implements AutoCloseable {
    private final RankServer first = SparkTransport.listen(NETWORK, RUN, 0, 2, CONNECTIONS);
    private final RankServer second = SparkTransport.listen(NETWORK, RUN, 0, 2, CONNECTIONS);
    private final TamperingProxy proxy;
    private final SparkTransport zero;
    private final SparkTransport one;

    Pair(IntFunction<Fault> faults) throws IOException {
      proxy = new TamperingProxy(Addresses.port(first.address()), Framing.SPARK, faults);
      List<String> seenByZero = List.of(first.address(), second.address());
      List<String> seenByOne = List.of("localhost:" + proxy.port(), second.address());
      CompletableFuture<SparkTransport> caller =
          CompletableFuture.supplyAsync(() -> second.connect(seenByOne, 1, LONG));
      zero = first.connect(seenByZero, 0, LONG);
      one = caller.join();
    }

    @Override
    public void close() {
      second.close();
      first.close();
      proxy.close();
    }
  }
}
