package org.sparkformer.spark.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.util.internal.PlatformDependent;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.spark.SparkConf;
import org.apache.spark.network.protocol.Message;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.sparkformer.collective.Collective;

/**
 * Strangers at the ports of two ranks, in processes of their own, while these sum: sums go on and
 * are right. The strangers cost rank 0 under 64 MiB, on the heap and beside it; rank 1 has 256 MiB
 * in all, and ends when they do not suffice.
 */
final class HostileCallersTest {
  private static final String RUN = "hostile-callers";
  private static final long MOST_GROWTH = 64L << 20;
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final Duration HELD = Duration.ofSeconds(2);
  private static final int MOST_SENT = 256 << 20;

  /** Four of it make 1,061,109,567. */
  private static final byte NEARLY_A_GIB = 0x3F;

  private final List<Socket> strangers = new CopyOnWriteArrayList<>();

  @AfterEach
  void hangUp() throws IOException {
    for (Socket stranger : strangers) {
      stranger.close();
    }
  }

  @Test
  void announcedLengthsAreNotCollected() throws Exception {
    besides(
        Networks.plain(),
        port -> {
          for (long length :
              new long[] {Integer.MAX_VALUE, 1L << 30, Long.MAX_VALUE, -1, Long.MIN_VALUE, 0, 8}) {
            Socket stranger = call(port);
            stranger.getOutputStream().write(ByteBuffer.allocate(8).putLong(length).array());
            assertHungUp(stranger, new byte[1 << 16]);
          }
        });
  }

  @Test
  void garbageAndTruncatedMessagesEndTheirConnectionOnly() throws Exception {
    besides(
        Networks.plain(),
        port -> {
          Random random = new Random(3);
          for (int i = 0; i < 200; i++) {
            byte[] garbage = new byte[1 + random.nextInt(4000)];
            random.nextBytes(garbage);
            if (i % 2 == 0 && garbage.length > 8) {
              ByteBuffer.wrap(garbage).putLong(garbage.length - random.nextInt(8));
            }
            call(port).getOutputStream().write(garbage);
          }
        });
  }

  /** Wherever Spark may read a number, in messages of every kind, there is one of nearly 1 GiB. */
  @Test
  void lengthsWithinMessagesAreNotAllocated() throws Exception {
    Attack attack =
        port -> {
          for (Message.Type type : Message.Type.values()) {
            call(port).getOutputStream().write(SparkFrames.filled(type, NEARLY_A_GIB));
          }
          for (byte[] body : SparkFrames.authentications(NEARLY_A_GIB)) {
            call(port).getOutputStream().write(SparkFrames.request(body));
          }
        };
    besides(Networks.plain(), attack);
    besides(Networks.authenticated("secret"), attack);
  }

  /** Greetings of another run, whose refusals nobody reads. */
  @Test
  void aCallerThatNeverReadsIsHungUpOn() throws Exception {
    besides(
        Networks.plain(),
        port ->
            assertHungUp(
                call(port), SparkFrames.request(new Hello("another", 0, 1, 0).encode().array())));
  }

  @Test
  void aThousandConnectionsThatSayNothingOrHalfAGreetingCostLittle() throws Exception {
    besides(
        Networks.plain(),
        port -> {
          for (int i = 0; i < 1000; i++) {
            Socket stranger = call(port);
            if (i % 2 == 0) {
              byte[] half = new byte[FrameLimit.STRANGERS_BYTES / 2];
              ByteBuffer.wrap(half).putLong(FrameLimit.STRANGERS_BYTES);
              stranger.getOutputStream().write(half);
            }
          }
        });
  }

  private interface Attack {
    void on(int port) throws Exception;
  }

  /**
   * Sums before, while and after; what the attack costs is measured at its end, while its sockets
   * are open and some more sums are done. The peer's own count of wrong sums comes last.
   */
  private void besides(SparkConf conf, Attack attack) throws Exception {
    SparkNetwork network = Networks.network(conf);
    try (SummingPeer peer = SummingPeer.start(conf);
        RankServer server = SparkTransport.listen(network, RUN, 0, 2)) {
      String one = peer.begin(RUN, server.address(), 60);
      try (Collective collective =
          SparkTransportTest.collective(
              server.connect(List.of(server.address(), one), 0, LONG), RUN, 60)) {
        sum(collective, 0);
        long before = usedBytes();
        CompletableFuture<Void> attacked =
            CompletableFuture.runAsync(() -> run(attack, List.of(server.address(), one)));
        int round = 1;
        while (!attacked.isDone()) {
          sum(collective, round++);
        }
        attacked.get();
        long end = System.nanoTime() + HELD.toNanos();
        while (System.nanoTime() < end) {
          sum(collective, round++);
        }
        long growth = usedBytes() - before;
        assertTrue(growth < MOST_GROWTH, "grew by " + growth + " bytes");
      }
      assertEquals(0, peer.wrongSums());
    }
  }

  private static void run(Attack attack, List<String> addresses) {
    try {
      for (String address : addresses) {
        attack.on(Addresses.port(address));
      }
    } catch (Exception broken) {
      throw new AssertionError("the attack broke off", broken);
    }
  }

  private static void sum(Collective collective, int round) {
    assertTrue(SummingPeer.sumIsRight(collective, round), "a wrong sum");
  }

  /** On the heap, after a collection, and in Netty's buffers. */
  private static long usedBytes() {
    collectGarbage();
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed()
        + PlatformDependent.usedDirectMemory();
  }

  /**
   * Until the whole heap was collected: G1 leaves a request undone while any thread is inside JNI's
   * critical section, as those of compression are.
   */
  private static void collectGarbage() {
    GarbageCollectorMXBean whole =
        ManagementFactory.getGarbageCollectorMXBeans().stream()
            .filter(collector -> collector.getName().equals("G1 Old Generation"))
            .findFirst()
            .orElseThrow();
    long before = whole.getCollectionCount();
    long end = System.nanoTime() + LONG.toNanos();
    while (whole.getCollectionCount() == before) {
      assertTrue(System.nanoTime() < end, "the heap was not collected");
      System.gc();
    }
  }

  /** Stays open until the test's end, unless the callee hangs up. */
  private Socket call(int port) throws IOException {
    Socket stranger = new Socket(InetAddress.getByName("localhost"), port);
    strangers.add(stranger);
    return stranger;
  }

  /** Says the same again and again, and expects not to get far. */
  private static void assertHungUp(Socket stranger, byte[] bytes) throws IOException {
    OutputStream out = stranger.getOutputStream();
    try {
      for (long sent = 0; sent < MOST_SENT; sent += bytes.length) {
        out.write(bytes);
      }
    } catch (SocketException hungUp) {
      return;
    }
    throw new AssertionError("took " + MOST_SENT + " bytes of a stranger");
  }
}
