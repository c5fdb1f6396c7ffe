package org.sparkformer.spark.transport;

import io.netty.channel.Channel;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;

/**
 * The connections to one peer. Frames go over them in turn, and are handed on in the same turn: so
 * in the order in which they were sent, whichever arrives first. Each says its number, from 0, so
 * that one that was repeated or lost on its way is noticed where the next one arrives.
 */
final class PeerLink {
  /** Of what arrives before its turn, on one connection; more is left to the network to hold. */
  static final int MOST_WAITING = 16;

  private final Object sending = new Object();
  private final Object arriving = new Object();
  private final Courier[] couriers;
  private final List<Queue<Runnable>> arrived = new ArrayList<>();
  private long sent;
  private int nextToArrive;
  private boolean handsOn;

  PeerLink(int connections) {
    couriers = new Courier[connections];
    for (int connection = 0; connection < connections; connection++) {
      arrived.add(new ArrayDeque<>());
    }
  }

  /** False where there is such a connection already. */
  boolean add(int connection, Channel channel) {
    if (couriers[connection] != null) {
      return false;
    }
    couriers[connection] = new Courier(channel);
    return true;
  }

  /** Whether all connections are there. */
  boolean isComplete() {
    return open().size() == couriers.length;
  }

  /** Sends on the connection whose turn it is; see {@link Courier#send}. */
  void send(ByteBuffer frame, Runnable released) {
    synchronized (sending) {
      next().send(sent++, frame, released);
    }
  }

  private Courier next() {
    return couriers[(int) (sent % couriers.length)];
  }

  /** From now on; what has arrived before comes first. */
  void handOn() {
    synchronized (arriving) {
      handsOn = true;
      handOnInTurn();
    }
  }

  /**
   * Something has arrived on a connection: it is handed on once it is that connection's turn, on
   * the thread that this comes to pass on. Nothing is before {@link #handOn}, and then little is
   * read.
   */
  void arrived(int connection, Runnable something) {
    synchronized (arriving) {
      arrived.get(connection).add(something);
      if (arrived.get(connection).size() == MOST_WAITING) {
        read(connection, false);
      }
      if (handsOn) {
        handOnInTurn();
      }
    }
  }

  private void handOnInTurn() {
    while (!arrived.get(nextToArrive).isEmpty()) {
      if (arrived.get(nextToArrive).size() == MOST_WAITING) {
        read(nextToArrive, true);
      }
      arrived.get(nextToArrive).remove().run();
      nextToArrive = (nextToArrive + 1) % couriers.length;
    }
  }

  private void read(int connection, boolean on) {
    couriers[connection].channel().config().setAutoRead(on);
  }

  /** Tells the peer, on each connection, that nothing more comes on it: an empty frame. */
  void end() {
    synchronized (sending) {
      for (long end = sent + couriers.length; sent < end; sent++) {
        if (next() != null) {
          next().send(sent, ByteBuffer.allocate(0), () -> {});
        }
      }
    }
  }

  /** Lets what is on its way out go, at most until {@code deadline}, in nanoseconds. */
  void drain(long deadline) {
    try {
      for (Courier courier : open()) {
        courier.awaitPending(0, Duration.ofNanos(deadline - System.nanoTime()));
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  void hangUp() {
    open().forEach(courier -> courier.channel().close());
  }

  private List<Courier> open() {
    List<Courier> open = new ArrayList<>();
    for (Courier courier : couriers) {
      if (courier != null) {
        open.add(courier);
      }
    }
    return open;
  }
}
