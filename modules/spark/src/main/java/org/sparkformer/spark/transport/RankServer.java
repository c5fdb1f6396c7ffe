package org.sparkformer.spark.transport;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.List;
import org.apache.spark.network.TransportContext;
import org.apache.spark.network.client.TransportClient;
import org.apache.spark.network.client.TransportClientFactory;
import org.apache.spark.network.server.TransportServer;
import org.sparkformer.collective.CollectiveException;

/**
 * A rank that listens on a port of its executor and has yet to learn where the others are. Exchange
 * {@link #address()} by any means (a barrier stage's {@code allGather}), then {@link #connect}.
 */
public final class RankServer implements AutoCloseable {
  private static final Duration DRAIN = Duration.ofSeconds(2);

  /** After so long without a peer's call this rank looks whether it reaches the peer. */
  private static final Duration LOOK = Duration.ofSeconds(2);

  private final String runId;
  private final int attempt;
  private final int size;
  private final int connections;
  private final String address;
  private final PeerConnections peers;
  private final TransportContext context;
  private final TransportServer server;
  private final TransportClientFactory clients;

  RankServer(SparkNetwork network, String runId, int attempt, int size, int connections) {
    this.runId = runId;
    this.attempt = attempt;
    this.size = size;
    this.connections = connections;
    this.peers = new PeerConnections(runId, attempt, size, connections);
    this.context = network.context(peers);
    this.server = context.createServer(network.bindAddress(), 0, network.serverBootstraps());
    this.clients = context.createClientFactory(network.clientBootstraps());
    this.address = Addresses.format(network.host(), server.getPort());
  }

  /** Where peers reach this rank, as {@code host:port}. */
  public String address() {
    return address;
  }

  /**
   * Connects to every peer. The transport closes this server; when this method throws, the caller
   * does.
   *
   * @param addresses address of every rank, by rank, this one's included
   * @param rank this rank
   * @param longest how long peers may take to call
   * @throws CollectiveException when a peer cannot be reached, refuses this rank, or does not call
   *     in time
   */
  public SparkTransport connect(List<String> addresses, int rank, Duration longest) {
    if (addresses.size() != size) {
      throw new IllegalArgumentException(
          "this is one of " + size + " ranks, which are not those of " + addresses);
    }
    if (rank < 0 || rank >= size || !addresses.get(rank).equals(address)) {
      throw new IllegalArgumentException(
          "rank "
              + rank
              + " listens on "
              + address
              + ", which is not entry "
              + rank
              + " of "
              + addresses);
    }
    try {
      for (int peer = 0; peer < rank; peer++) {
        for (int connection = 0; connection < connections; connection++) {
          Hello hello = new Hello(runId, attempt, rank, connection);
          call(peer, addresses.get(peer), hello, longest);
        }
      }
      awaitCalls(addresses, rank, longest);
      return new SparkTransport(this, peers, rank, size, connections);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new CollectiveException("rank " + rank + " was interrupted connecting", interrupted);
    }
  }

  private void awaitCalls(List<String> addresses, int rank, Duration longest)
      throws InterruptedException {
    long deadline = System.nanoTime() + longest.toNanos();
    List<Integer> missing = peers.awaitAll(rank, shorter(longest, LOOK));
    while (!missing.isEmpty()) {
      Duration left = Duration.ofNanos(deadline - System.nanoTime());
      if (left.isNegative()) {
        throw new CollectiveException(
            "rank %d, connecting: ranks %s have not called within %s"
                .formatted(rank, missing, longest));
      }
      missing.forEach(peer -> requireReachable(rank, peer, addresses.get(peer)));
      missing = peers.awaitAll(rank, shorter(left, LOOK));
    }
  }

  private static Duration shorter(Duration one, Duration other) {
    return one.compareTo(other) < 0 ? one : other;
  }

  /**
   * A peer whose call does not come may be one that no answer reaches: its own end of the link says
   * nothing until its call times out, this one says at once why.
   */
  private static void requireReachable(int rank, int peer, String where) {
    try (Socket socket = new Socket()) {
      socket.connect(
          new InetSocketAddress(Addresses.host(where), Addresses.port(where)),
          (int) LOOK.toMillis());
    } catch (SocketTimeoutException silent) {
      // Slow, or cut off: the meeting's own limit says when that is too long.
    } catch (IOException refused) {
      throw new CollectiveException(
          "rank %d waits for the call of rank %d, and cannot reach it at %s: %s"
              .formatted(rank, peer, where, refused.getMessage()),
          refused);
    }
  }

  @Override
  public void close() {
    peers.close(DRAIN);
    clients.close();
    server.close();
    context.close();
  }

  private void call(int peer, String where, Hello hello, Duration longest)
      throws InterruptedException {
    try {
      TransportClient client =
          clients.createUnmanagedClient(Addresses.host(where), Addresses.port(where));
      peers.register(peer, hello.connection(), client.getChannel());
      Question.ask(client, hello.encode(), longest);
    } catch (IOException | RuntimeException refused) {
      throw new CollectiveException(
          "rank "
              + hello.rank()
              + " cannot connect to rank "
              + peer
              + " at "
              + where
              + ": "
              + Hello.reason(refused),
          refused);
    }
  }
}
