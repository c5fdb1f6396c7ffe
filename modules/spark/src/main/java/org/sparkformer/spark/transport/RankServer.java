package org.sparkformer.spark.transport;

import java.io.IOException;
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
      List<Integer> missing = peers.awaitAll(rank, longest);
      if (missing.isEmpty()) {
        return new SparkTransport(this, peers, rank, size);
      }
      throw new CollectiveException(
          "rank " + rank + ", connecting: ranks " + missing + " have not called within " + longest);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new CollectiveException("rank " + rank + " was interrupted connecting", interrupted);
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
      client.sendRpcSync(hello.encode(), longest.toMillis());
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
