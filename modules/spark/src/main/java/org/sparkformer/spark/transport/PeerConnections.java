package org.sparkformer.spark.transport;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.network.client.RpcResponseCallback;
import org.apache.spark.network.client.TransportClient;
import org.apache.spark.network.server.OneForOneStreamManager;
import org.apache.spark.network.server.RpcHandler;
import org.apache.spark.network.server.StreamManager;
import org.sparkformer.collective.Transport;

/**
 * The connections to all peers, as many to each, the higher rank calling the lower. A connection
 * counts for nothing until its greeting has named run, attempt and rank; afterwards the end of any
 * of them is the end of the peer, at once where the peer has not said on it that this is the end.
 */
final class PeerConnections extends RpcHandler {
  private final String runId;
  private final int attempt;
  private final int size;
  private final int connections;
  private final StreamManager noStreams = new OneForOneStreamManager();
  private final LateReceiver receiver = new LateReceiver();
  private final Map<Channel, PeerConnection> greeted = new ConcurrentHashMap<>();
  private final Map<Integer, PeerLink> links = new TreeMap<>();
  private boolean sealed;

  /**
   * @param size number of ranks
   * @param connections to each peer
   */
  PeerConnections(String runId, int attempt, int size, int connections) {
    this.runId = runId;
    this.attempt = attempt;
    this.size = size;
    this.connections = connections;
  }

  @Override
  public void channelActive(TransportClient client) {
    Channel channel = client.getChannel();
    FrameLimit.guard(channel, () -> greeted.containsKey(channel));
    channel.config().setRecvByteBufAllocator(new FrameMemory(channel));
  }

  /**
   * The greeting; whose is refused is hung up on, once it has heard why. Whom this rank has called
   * greets nobody, and has not shown the secret where one is demanded.
   */
  @Override
  public void receive(TransportClient client, ByteBuffer message, RpcResponseCallback callback) {
    if (client.getChannel().parent() == null) {
      client.getChannel().close();
      return;
    }
    try {
      Hello hello = Hello.decode(message);
      hello.requireSame(runId, attempt);
      register(hello.rank(), hello.connection(), client.getChannel());
      callback.onSuccess(ByteBuffer.allocate(0));
    } catch (IllegalArgumentException refused) {
      callback.onFailure(refused);
      client.getChannel().eventLoop().execute(() -> hangUp(client.getChannel()));
    }
  }

  /** Only of a stranger: a rank's frames are taken by its {@link FrameReader}. */
  @Override
  public void receive(TransportClient client, ByteBuffer message) {
    client.getChannel().close();
  }

  @Override
  public void channelInactive(TransportClient client) {
    connection(client).ifPresent(PeerConnection::closed);
  }

  @Override
  public void exceptionCaught(Throwable cause, TransportClient client) {
    connection(client).ifPresent(connection -> connection.broken(cause.toString()));
  }

  private Optional<PeerConnection> connection(TransportClient client) {
    return Optional.ofNullable(greeted.get(client.getChannel()));
  }

  @Override
  public StreamManager getStreamManager() {
    return noStreams;
  }

  /** After what is on its way out to a stranger. */
  private static void hangUp(Channel channel) {
    channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
  }

  /**
   * A rank opens each of its connections once in an attempt; a second caller with its number is an
   * impostor or a ghost.
   */
  synchronized void register(int rank, int connection, Channel channel) {
    if (rank >= size) {
      throw new IllegalArgumentException(
          "there is no rank %d among the %d of this run".formatted(rank, size));
    }
    if (connection >= connections) {
      throw new IllegalArgumentException(
          "rank %d opens connection %d of this rank's %d: training.connections must be the same on all"
              .formatted(rank, connection + 1, connections));
    }
    if (sealed) {
      throw new IllegalArgumentException("rank " + rank + " comes too late");
    }
    PeerLink link = links.computeIfAbsent(rank, first -> new PeerLink(connections));
    if (!link.add(connection, channel)) {
      throw new IllegalArgumentException("rank " + rank + " is connected already");
    }
    PeerConnection opened = new PeerConnection(rank, link, connection, receiver);
    greeted.put(channel, opened);
    FrameReader.install(channel, opened, connection, connections);
    notifyAll();
  }

  /**
   * Waits for the connections of all peers, and returns the ranks that are missing after {@code
   * longest}. Once none is, no other is taken.
   */
  synchronized List<Integer> awaitAll(int rank, Duration longest) throws InterruptedException {
    long deadline = System.nanoTime() + longest.toNanos();
    List<Integer> missing = missing(rank);
    for (long left = longest.toMillis(); !missing.isEmpty() && left > 0; ) {
      wait(left);
      missing = missing(rank);
      left = (deadline - System.nanoTime()) / 1_000_000;
    }
    if (missing.isEmpty()) {
      seal(rank);
    }
    return missing;
  }

  private void seal(int rank) {
    sealed = true;
    links.remove(rank);
    greeted.forEach(
        (channel, connection) -> {
          if (connection.rank() == rank) {
            connection.dismiss();
            channel.close();
          }
        });
  }

  private List<Integer> missing(int rank) {
    List<Integer> missing = new ArrayList<>();
    for (int peer = 0; peer < size; peer++) {
      if (peer != rank && !(links.containsKey(peer) && links.get(peer).isComplete())) {
        missing.add(peer);
      }
    }
    return missing;
  }

  synchronized PeerLink link(int peer) {
    return links.get(peer);
  }

  void start(Transport.Receiver listener) {
    receiver.start(listener);
    List<PeerLink> open;
    synchronized (this) {
      open = List.copyOf(links.values());
    }
    open.forEach(PeerLink::handOn);
  }

  /** Lets what is on its way out go, then hangs up; once. */
  void close(Duration longest) {
    if (!receiver.close()) {
      return;
    }
    List<PeerLink> open;
    synchronized (this) {
      sealed = true;
      open = List.copyOf(links.values());
    }
    long deadline = System.nanoTime() + longest.toNanos();
    open.forEach(PeerLink::end);
    open.forEach(link -> link.drain(deadline));
    open.forEach(PeerLink::hangUp);
  }
}
