package org.sparkformer.spark.transport;

import java.nio.ByteBuffer;
import org.sparkformer.collective.Transport;

/**
 * Frames between executors over Spark's network layer. A peer whose process dies is reported as
 * soon as the operating system closes its sockets.
 */
public final class SparkTransport implements Transport {
  private final RankServer server;
  private final PeerConnections peers;
  private final int rank;
  private final int size;
  private final int connections;

  SparkTransport(RankServer server, PeerConnections peers, int rank, int size, int connections) {
    this.server = server;
    this.peers = peers;
    this.rank = rank;
    this.size = size;
    this.connections = connections;
  }

  /** With one connection a peer. */
  public static RankServer listen(SparkNetwork network, String runId, int attempt, int size) {
    return listen(network, runId, attempt, size, 1);
  }

  /**
   * Opens a port for this rank; {@link RankServer#connect} makes it a transport.
   *
   * @param size number of ranks; who calls with another rank than theirs is refused
   * @param connections to each peer, over which frames go in turn; the same on all ranks
   * @throws IllegalArgumentException when the cluster's encryption settings are unsafe
   */
  public static RankServer listen(
      SparkNetwork network, String runId, int attempt, int size, int connections) {
    return new RankServer(network, runId, attempt, size, connections);
  }

  @Override
  public int rank() {
    return rank;
  }

  @Override
  public int size() {
    return size;
  }

  @Override
  public int connections() {
    return connections;
  }

  @Override
  public void start(Receiver receiver) {
    peers.start(receiver);
  }

  @Override
  public void send(int peer, ByteBuffer frame, Runnable released) {
    peers.link(peer).send(frame, released);
  }

  @Override
  public void close() {
    server.close();
  }
}
