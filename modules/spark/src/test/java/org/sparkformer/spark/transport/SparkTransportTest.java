package org.sparkformer.spark.transport;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.network.TransportContext;
import org.apache.spark.network.client.TransportClient;
import org.apache.spark.network.client.TransportClientFactory;
import org.apache.spark.network.server.NoOpRpcHandler;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkformer.collective.Collective;
import org.sparkformer.collective.CollectiveException;
import org.sparkformer.collective.CollectiveOptions;
import org.sparkformer.collective.SummationTree;
import org.sparkformer.collective.Transport;
import org.sparkformer.collective.TreeCollective;

final class SparkTransportTest {
  private static final int LENGTH = 700_001;
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final String RUN = "transport-test";

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({"plain, 1", "plain, 3", "authenticated, 1", "authenticated, 3", "tls, 1", "tls, 3"})
  void sumsAreExactUnderEverySecuritySetting(String setting, int connections) throws Exception {
    for (int size : new int[] {1, 2, 3}) {
      List<SparkNetwork> networks = new ArrayList<>();
      for (int rank = 0; rank < size; rank++) {
        networks.add(Networks.network(settings(setting)));
      }
      for (float[] sum : gang(networks, connections, SparkTransportTest::sum)) {
        assertArrayEquals(expectedSum(size), sum);
      }
    }
  }

  @Test
  void theProcessesOwnSparkEnvironmentServesAsNetwork() throws Exception {
    SparkConf conf = new SparkConf(false).setMaster("local[2]").setAppName("transport");
    try (JavaSparkContext context = new JavaSparkContext(conf.set("spark.ui.enabled", "false"))) {
      assertEquals("local[2]", context.master());
      SparkNetwork network = SparkNetwork.of(SparkEnv.get());
      for (float[] sum : gang(List.of(network, network), 1, SparkTransportTest::sum)) {
        assertArrayEquals(expectedSum(2), sum);
      }
    }
  }

  @Test
  void ranksThatDoNotCallAreNamed() {
    try (RankServer server = SparkTransport.listen(Networks.network(Networks.plain()), RUN, 0, 3)) {
      List<String> addresses = List.of(server.address(), "localhost:1", "localhost:2");
      String message =
          assertThrows(
                  CollectiveException.class,
                  () -> server.connect(addresses, 0, Duration.ofMillis(200)))
              .getMessage();
      assertTrue(message.contains("[1, 2]"), message);
    }
  }

  /** As where no answer reaches a peer that calls: this rank alone can tell why. */
  @Test
  void aPeerThatDoesNotCallAndCannotBeReachedEndsTheMeeting() throws Exception {
    SparkNetwork network = Networks.network(Networks.plain());
    try (RankServer server = SparkTransport.listen(network, RUN, 0, 2)) {
      PeerProcess peer = PeerProcess.start(RUN, "localhost:1");
      peer.kill();
      List<String> addresses = List.of(server.address(), peer.address());
      String message =
          assertThrows(CollectiveException.class, () -> server.connect(addresses, 0, LONG))
              .getMessage();
      assertTrue(message.contains("cannot reach it at " + peer.address()), message);
    }
  }

  @Test
  void framesOfACallerThatHasNotGreetedReachNobody() throws Exception {
    SparkNetwork network = Networks.network(Networks.plain());
    List<Integer> heard = Collections.synchronizedList(new ArrayList<>());
    try (RankServer zero = SparkTransport.listen(network, RUN, 0, 1);
        TransportContext stranger = network.context(new NoOpRpcHandler());
        TransportClientFactory clients = stranger.createClientFactory();
        SparkTransport transport = zero.connect(List.of(zero.address()), 0, LONG)) {
      transport.start(listener(heard));
      TransportClient client =
          clients.createUnmanagedClient("localhost", Addresses.port(zero.address()));
      client.send(ByteBuffer.wrap(new byte[100]));
      client.getChannel().closeFuture().sync();
    }
    assertEquals(List.of(), heard);
  }

  /** It may greet while nobody knows yet which rank this is. */
  @Test
  void aCallerWithTheCalleesOwnNumberIsHungUpOn() throws Exception {
    SparkNetwork network = Networks.network(Networks.plain());
    List<Integer> heard = Collections.synchronizedList(new ArrayList<>());
    try (RankServer zero = SparkTransport.listen(network, RUN, 0, 1);
        TransportContext impostor = network.context(new NoOpRpcHandler());
        TransportClientFactory clients = impostor.createClientFactory()) {
      TransportClient client =
          clients.createUnmanagedClient("localhost", Addresses.port(zero.address()));
      Question.ask(client, new Hello(RUN, 0, 0, 0).encode(), LONG);
      try (SparkTransport transport = zero.connect(List.of(zero.address()), 0, LONG)) {
        transport.start(listener(heard));
        assertTrue(client.getChannel().closeFuture().await(LONG.toMillis()), "still connected");
      }
    }
    assertEquals(List.of(), heard);
  }

  @Test
  void aKilledPeerProcessEndsTheWaitOfTheOthers() throws Exception {
    SparkNetwork network = Networks.network(Networks.plain());
    try (RankServer server = SparkTransport.listen(network, RUN, 0, 2)) {
      PeerProcess peer = PeerProcess.start(RUN, server.address());
      try {
        List<String> addresses = List.of(server.address(), peer.address());
        try (Collective collective = collective(server.connect(addresses, 0, LONG), 600)) {
          collective.barrier();
          CompletableFuture<Void> waiting = CompletableFuture.runAsync(collective::barrier);
          peer.kill();
          ExecutionException failure = assertThrows(ExecutionException.class, waiting::get);
          String message = failure.getCause().getMessage();
          assertTrue(message.contains("connection to rank 1 is lost"), message);
        }
      } finally {
        peer.kill();
      }
    }
  }

  private static Transport.Receiver listener(List<Integer> heard) {
    return new Transport.Receiver() {
      @Override
      public Optional<ByteBuffer> memory(int peer, int bytes) {
        return Optional.of(ByteBuffer.allocate(bytes));
      }

      @Override
      public void received(int peer, ByteBuffer frame) {
        heard.add(peer);
      }

      @Override
      public void lost(int peer, String reason) {
        heard.add(peer);
      }
    };
  }

  static TreeCollective collective(SparkTransport transport, int timeoutSeconds) {
    return collective(transport, RUN, timeoutSeconds);
  }

  static TreeCollective collective(SparkTransport transport, String run, int timeoutSeconds) {
    return new TreeCollective(
        new SummationTree(transport.size()),
        transport,
        CollectiveOptions.of(run, 0, Duration.ofSeconds(timeoutSeconds)));
  }

  private SparkConf settings(String name) throws Exception {
    return switch (name) {
      case "authenticated" -> Networks.authenticated("secret");
      case "tls" -> Networks.tls("secret", folder);
      default -> Networks.plain();
    };
  }

  private static <T> List<T> gang(
      List<SparkNetwork> networks, int connections, Function<Collective, T> work) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(networks.size());
    try {
      List<RankServer> servers = new ArrayList<>();
      networks.forEach(
          network ->
              servers.add(SparkTransport.listen(network, RUN, 0, networks.size(), connections)));
      List<String> addresses = servers.stream().map(RankServer::address).toList();
      List<Future<T>> futures = new ArrayList<>();
      for (int rank = 0; rank < servers.size(); rank++) {
        int self = rank;
        futures.add(
            threads.submit(
                () -> {
                  SparkTransport transport = servers.get(self).connect(addresses, self, LONG);
                  try (Collective collective = collective(transport, 60)) {
                    return work.apply(collective);
                  }
                }));
      }
      List<T> results = new ArrayList<>();
      for (Future<T> future : futures) {
        results.add(future.get());
      }
      return results;
    } finally {
      threads.shutdownNow();
    }
  }

  private static float[] sum(Collective rank) {
    float[] values = new float[LENGTH];
    for (int i = 0; i < LENGTH; i++) {
      values[i] = (rank.rank() + 1) * (i % 8191);
    }
    FloatBuffer sum = FloatBuffer.allocate(LENGTH);
    rank.allReduce(List.of(FloatBuffer.wrap(values)), sum);
    rank.barrier();
    return sum.array();
  }

  private static float[] expectedSum(int size) {
    float[] sum = new float[LENGTH];
    for (int i = 0; i < LENGTH; i++) {
      sum[i] = size * (size + 1) / 2 * (i % 8191);
    }
    return sum;
  }
}
