package org.sparkformer.spark.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.sparkformer.collective.Collective;
import org.sparkformer.spark.transport.HostileCallers.Attack;

/**
 * Strangers at the ports of two ranks, in processes of their own, while these sum: sums go on and
 * are right. The strangers cost either rank under 64 MiB, on the heap and beside it; rank 1 has 256
 * MiB in all, and ends when they do not suffice.
 */
final class HostileCallersTest {
  private static final String RUN = "hostile-callers";
  private static final long MOST_GROWTH = 64L << 20;
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final Duration HELD = Duration.ofSeconds(2);

  @ParameterizedTest
  @EnumSource
  void sumsGoOn(Attack attack) throws Exception {
    besides(Networks.plain(), attack);
  }

  /** Spark reads more of such messages where it demands authentication. */
  @Test
  void sumsGoOnWithAuthentication() throws Exception {
    besides(Networks.authenticated("secret"), Attack.LENGTHS_WITHIN_MESSAGES);
  }

  /**
   * Sums before, while and after; what the attack costs is measured at its end, while its sockets
   * are open and some more sums are done. The peer's own count of wrong sums comes last.
   */
  private void besides(SparkConf conf, Attack attack) throws Exception {
    SparkNetwork network = Networks.network(conf);
    try (HostileCallers strangers = new HostileCallers();
        SummingPeer peer = SummingPeer.start(conf);
        RankServer server = SparkTransport.listen(network, RUN, 0, 2)) {
      String one = peer.begin(RUN, server.address(), 60);
      try (Collective collective =
          SparkTransportTest.collective(
              server.connect(List.of(server.address(), one), 0, LONG), RUN, 60)) {
        sum(collective, 0);
        List<Long> before = usedMemory(peer);
        CompletableFuture<Void> attacked =
            CompletableFuture.runAsync(
                () -> {
                  run(strangers, attack, server.address());
                  run(strangers, attack, one);
                });
        int round = 1;
        while (!attacked.isDone()) {
          sum(collective, round++);
        }
        attacked.get();
        long end = System.nanoTime() + HELD.toNanos();
        while (System.nanoTime() < end) {
          sum(collective, round++);
        }
        List<Long> after = usedMemory(peer);
        for (int rank = 0; rank < after.size(); rank++) {
          long growth = after.get(rank) - before.get(rank);
          assertTrue(growth < MOST_GROWTH, "rank %d grew by %d bytes".formatted(rank, growth));
        }
      }
      assertEquals(0, peer.wrongSums());
    }
  }

  /** Of either rank. */
  private static List<Long> usedMemory(SummingPeer peer) throws IOException {
    return List.of(UsedMemory.bytes(), peer.usedMemory());
  }

  private static void run(HostileCallers strangers, Attack attack, String address) {
    try {
      strangers.attack(attack, address);
    } catch (IOException broken) {
      throw new AssertionError("the attack broke off", broken);
    }
  }

  private static void sum(Collective collective, int round) {
    assertTrue(SummingPeer.sumIsRight(collective, round), "a wrong sum");
  }
}
