package org.sparkformer.spark.transport;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.apache.spark.network.client.RpcResponseCallback;
import org.apache.spark.network.client.TransportClient;
import org.apache.spark.network.server.OneForOneStreamManager;
import org.apache.spark.network.server.RpcHandler;
import org.apache.spark.network.server.StreamManager;
import org.sparkformer.collective.Transport;

/**
 * One connection to each peer, the higher rank calling the lower. A connection counts for nothing
 * until its greeting has named run, attempt and rank; afterwards its end is the end of the peer.
 */
final class PeerConnections extends RpcHandler {
  private final String runId;
  private final int attempt;
  private final StreamManager noStreams = new OneForOneStreamManager();
  private final Map<Channel, Integer> rankOf = new ConcurrentHashMap<>();
  private final Map<Integer, Courier> couriers = new TreeMap<>();
  private final Queue<Consumer<Transport.Receiver>> early = new ArrayDeque<>();
  private volatile Transport.Receiver receiver;
  private boolean sealed;
  private boolean closed;

  PeerConnections(String runId, int attempt) {
    this.runId = runId;
    this.attempt = attempt;
  }

  @Override
  public void channelActive(TransportClient client) {
    Channel channel = client.getChannel();
    FrameLimit.guard(channel, () -> rankOf.containsKey(channel));
    channel.config().setRecvByteBufAllocator(new FrameMemory(channel));
  }

  /** The greeting; whose is refused is hung up on, once it has heard why. */
  @Override
  public void receive(TransportClient client, ByteBuffer message, RpcResponseCallback callback) {
    try {
      Hello hello = Hello.decode(message);
      hello.requireSame(runId, attempt);
      register(hello.rank(), client.getChannel());
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
    Integer rank = rankOf.get(client.getChannel());
    if (rank != null) {
      deliver(to -> to.lost(rank, "its end was closed"));
    }
  }

  @Override
  public void exceptionCaught(Throwable cause, TransportClient client) {
    Integer rank = rankOf.get(client.getChannel());
    if (rank != null) {
      deliver(to -> to.lost(rank, cause.toString()));
    }
  }

  @Override
  public StreamManager getStreamManager() {
    return noStreams;
  }

  /** After what is on its way out to a stranger. */
  private static void hangUp(Channel channel) {
    channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
  }

  /** A rank calls once in an attempt; a second caller with its number is an impostor or a ghost. */
  synchronized void register(int rank, Channel channel) {
    if (sealed || couriers.containsKey(rank)) {
      throw new IllegalArgumentException(
          "rank " + rank + (sealed ? " comes too late" : " is connected already"));
    }
    couriers.put(rank, new Courier(channel));
    rankOf.put(channel, rank);
    FrameReader.install(channel, new Frames(rank, channel));
    notifyAll();
  }

  /**
   * Waits for the connections of all peers, and returns the ranks that are missing after {@code
   * longest}.
   */
  synchronized List<Integer> awaitAll(int rank, int size, Duration longest)
      throws InterruptedException {
    long deadline = System.nanoTime() + longest.toNanos();
    while (true) {
      List<Integer> missing = new ArrayList<>();
      for (int peer = 0; peer < size; peer++) {
        if (peer != rank && !couriers.containsKey(peer)) {
          missing.add(peer);
        }
      }
      long left = (deadline - System.nanoTime()) / 1_000_000;
      if (missing.isEmpty() || left <= 0) {
        sealed = true;
        couriers.keySet().removeIf(peer -> peer < 0 || peer == rank || peer >= size);
        rankOf.values().retainAll(couriers.keySet());
        return missing;
      }
      wait(left);
    }
  }

  synchronized Courier courier(int peer) {
    return couriers.get(peer);
  }

  synchronized void start(Transport.Receiver listener) {
    early.forEach(event -> event.accept(listener));
    early.clear();
    receiver = listener;
  }

  /** Lets what is on its way out go, then hangs up. */
  void close(Duration longest) {
    List<Courier> open;
    synchronized (this) {
      sealed = true;
      closed = true;
      early.clear();
      open = List.copyOf(couriers.values());
    }
    long deadline = System.nanoTime() + longest.toNanos();
    for (Courier courier : open) {
      drain(courier, Duration.ofNanos(deadline - System.nanoTime()));
      courier.channel().close();
    }
  }

  private static void drain(Courier courier, Duration longest) {
    try {
      courier.awaitPending(0, longest);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Where a rank's frames go: to the receiver, or into memory of their own until there is one. */
  private final class Frames implements FrameReader.Sink {
    private final int rank;
    private final Channel channel;
    private Transport.Receiver owner;

    Frames(int rank, Channel channel) {
      this.rank = rank;
      this.channel = channel;
    }

    @Override
    public Optional<ByteBuffer> memory(int bytes) {
      owner = receiver;
      if (!rankOf.containsKey(channel)) {
        return Optional.empty();
      }
      return owner == null ? Optional.of(ByteBuffer.allocate(bytes)) : owner.memory(rank, bytes);
    }

    @Override
    public void received(ByteBuffer frame) {
      if (owner == null) {
        deliver(to -> to.receivedElsewhere(rank, frame));
      } else {
        owner.received(rank, frame);
      }
    }
  }

  private synchronized void deliver(Consumer<Transport.Receiver> event) {
    if (closed) {
      return;
    }
    if (receiver == null) {
      early.add(event);
    } else {
      event.accept(receiver);
    }
  }
}
