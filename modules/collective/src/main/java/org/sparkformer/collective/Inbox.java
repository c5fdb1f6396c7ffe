package org.sparkformer.collective;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;
import java.util.StringJoiner;
import java.util.concurrent.TimeUnit;

/**
 * Where frames wait for the operation that wants them, and where the collective's end, whoever
 * notices it, reaches who waits: the transport's threads put in, the rank takes on its own.
 */
final class Inbox {
  private final int rank;
  private final Duration timeout;
  private final PeerMail[] peers;
  private final LastKnown lastKnown;
  private CurrentOperation current;
  private int awaitedPeer = -1;
  private FrameKey awaited;
  private long completed = -1;
  private Ending ending;

  /**
   * @param limitBytes what one peer may have waiting here; lockstep keeps an honest peer far below
   */
  Inbox(int rank, int size, Duration timeout, BufferPool pool, long limitBytes) {
    this.rank = rank;
    this.timeout = timeout;
    this.current = CurrentOperation.none(rank, size);
    this.lastKnown = new LastKnown(rank, size);
    this.peers = new PeerMail[size];
    for (int peer = 0; peer < size; peer++) {
      peers[peer] = new PeerMail(pool, limitBytes);
    }
  }

  /** A frame that was waited for; give the payload back to the pool. */
  record Mail(FrameHeader header, ByteBuffer payload) {}

  /**
   * Why the collective ended.
   *
   * @param origin the reason as the rank put it that noticed first
   */
  private record Ending(String reason, String origin) {}

  /** Starts the next operation and returns its sequence number. */
  synchronized long begin(Operation next) {
    current = current.next(next);
    for (int peer = 0; peer < peers.length; peer++) {
      requireInStep(peer);
    }
    requireHealthy();
    return current.sequence();
  }

  private void requireInStep(int peer) {
    peers[peer]
        .firstThatContradicts(current)
        .ifPresent(other -> fail(current.outOfStep(peer, other)));
  }

  /** Forgets what the finished operation left over. */
  synchronized void end() {
    for (PeerMail peer : peers) {
      peer.forgetUpTo(current.sequence());
    }
    completed = current.sequence();
  }

  /** Waits for one frame of a peer, at most the step timeout. */
  synchronized Mail take(int peer, FrameKey key) {
    awaitedPeer = peer;
    awaited = key;
    long deadline = System.nanoTime() + timeout.toNanos();
    try {
      while (true) {
        Optional<Mail> mail = peers[peer].take(key);
        if (mail.isPresent()) {
          return mail.get();
        }
        peers[peer].departure().ifPresent(this::fail);
        requireHealthy();
        awaitChange(peer, deadline - System.nanoTime());
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      fail("rank " + rank + " was interrupted");
      throw new CollectiveException(current + ": interrupted", interrupted);
    }
  }

  /**
   * Waits for a peer's next note, without a limit, for it does not belong to an operation: its
   * sender falls silent where it ends otherwise.
   */
  synchronized byte[] takeNote(int peer) throws InterruptedException {
    while (true) {
      Optional<byte[]> note = peers[peer].takeNote();
      if (note.isPresent()) {
        return note.get();
      }
      requireHealthy();
      if (peers[peer].departure().isPresent()) {
        throw failure(peers[peer].departure().get());
      }
      wait();
    }
  }

  /** Waits on while there is time left, and ends the collective where there is none. */
  private void awaitChange(int peer, long nanos) throws InterruptedException {
    if (nanos > 0) {
      TimeUnit.NANOSECONDS.timedWait(this, nanos);
    } else {
      fail(silence("frame", timeout, silent(peer)));
    }
  }

  /** Ends the collective where a peer that was heard, and has not left, has long been silent. */
  synchronized void requireSignsOfLife(Duration longest) {
    for (int peer = 0; peer < peers.length; peer++) {
      if (peers[peer].departure().isEmpty() && lastKnown.silence(peer).compareTo(longest) > 0) {
        fail(silence("sign of life", longest, Integer.toString(peer)));
      }
    }
  }

  /** Whether a frame that has arrived waits here now. */
  synchronized boolean keep(FrameHeader header, ByteBuffer payload) {
    int sender = header.sender();
    if (current.contradicts(header)) {
      fail(current.outOfStep(sender, header.operation()));
    }
    if (ending != null || header.key().sequence() <= completed) {
      return false;
    }
    boolean kept = peers[sender].put(header, payload);
    peers[sender]
        .excess()
        .ifPresent(bytes -> fail("rank " + sender + " sent " + bytes + " bytes too early"));
    if (sender == awaitedPeer && header.key().equals(awaited)) {
      notifyAll();
    }
    return kept;
  }

  synchronized void keepNote(FrameHeader header, ByteBuffer payload) {
    peers[header.sender()].putNote(header, payload).ifPresent(this::fail);
    notifyAll();
  }

  /**
   * A peer has said that it leaves.
   *
   * @param reason empty where it is done
   */
  synchronized void depart(int peer, String reason) {
    peers[peer].depart("rank " + peer + " has left the collective");
    if (!reason.isEmpty()) {
      fail("rank " + peer + " gave up: " + reason, reason);
    }
    notifyAll();
  }

  /** Nothing more comes from a peer: the end, unless it has said that it leaves. */
  synchronized void lost(int peer, String reason) {
    if (peers[peer].departure().isEmpty()) {
      fail("the connection to rank " + peer + " is lost (" + reason + ")");
    }
  }

  /** Ends the collective; the first reason stands. */
  void fail(String reason) {
    fail(reason, "rank " + rank + ": " + reason);
  }

  private synchronized void fail(String reason, String origin) {
    if (ending == null) {
      ending = new Ending(reason, origin);
    }
    notifyAll();
  }

  /** Ends the collective, and says so to the caller. */
  CollectiveException abort(String reason) {
    fail(reason);
    return failure(reason);
  }

  /** Why the collective ended, as the rank that noticed first put it. */
  synchronized Optional<String> failureOrigin() {
    return Optional.ofNullable(ending).map(Ending::origin);
  }

  /** What the ranks last said that they are doing. */
  LastKnown lastKnown() {
    return lastKnown;
  }

  private void requireHealthy() {
    if (ending != null) {
      throw failure(ending.reason());
    }
  }

  private CollectiveException failure(String reason) {
    return new CollectiveException(current + ": " + reason);
  }

  private String silent(int awaited) {
    StringJoiner silent = new StringJoiner(", ");
    for (int peer = 0; peer < peers.length; peer++) {
      if (peer != rank && (peer == awaited || peers[peer].latest() < current.sequence())) {
        silent.add(Integer.toString(peer));
      }
    }
    return silent.toString();
  }

  private String silence(String missing, Duration time, String silent) {
    return "no %s for %s s; not heard from: rank %s".formatted(missing, seconds(time), silent)
        + lastKnown.report();
  }

  static double seconds(Duration duration) {
    return duration.toMillis() / (double) TimeUnit.SECONDS.toMillis(1);
  }
}
