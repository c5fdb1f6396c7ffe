package org.sparkformer.collective;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * Where frames wait for the operation that wants them, and where everything that can go wrong is
 * noticed: the transport delivers on its threads, the rank takes on its own.
 */
final class Inbox implements Transport.Receiver {
  private final int rank;
  private final FrameCodec codec;
  private final BufferPool pool;
  private final Duration timeout;
  private final PeerMail[] peers;
  private final LastKnown lastKnown;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private Operation operation = Operation.BARRIER;
  private int awaitedPeer = -1;
  private FrameKey awaited;
  private long sequence = -1;
  private long completed = -1;
  private String failure;
  private String failureOrigin;
  private long staleFrames;

  /**
   * @param limitBytes what one peer may have waiting here; lockstep keeps an honest peer far below
   */
  Inbox(int rank, int size, CollectiveOptions options, BufferPool pool, long limitBytes) {
    this.rank = rank;
    this.codec = new FrameCodec(options.runId(), options.attempt());
    this.pool = pool;
    this.timeout = options.stepTimeout();
    this.lastKnown = new LastKnown(rank, size);
    this.peers = new PeerMail[size];
    for (int peer = 0; peer < size; peer++) {
      peers[peer] = new PeerMail(pool, limitBytes);
    }
  }

  /** A frame that was waited for; give the payload back to the pool. */
  record Mail(FrameHeader header, ByteBuffer payload) {}

  /** Starts the next operation and returns its sequence number. */
  long begin(Operation next) {
    lock.lock();
    try {
      operation = next;
      sequence++;
      for (int peer = 0; peer < peers.length; peer++) {
        peers[peer].firstOtherThan(next, sequence).ifPresent(outOfStep(peer));
      }
      requireHealthy();
      return sequence;
    } finally {
      lock.unlock();
    }
  }

  /** Forgets what the finished operation left over. */
  void end() {
    lock.lock();
    try {
      for (PeerMail peer : peers) {
        peer.forgetUpTo(sequence);
      }
      completed = sequence;
    } finally {
      lock.unlock();
    }
  }

  /** Waits for one frame of a peer, at most the step timeout. */
  Mail take(int peer, FrameKey key) {
    lock.lock();
    try {
      awaitedPeer = peer;
      awaited = key;
      long nanos = timeout.toNanos();
      while (true) {
        Optional<Mail> mail = peers[peer].take(key);
        if (mail.isPresent()) {
          return mail.get();
        }
        peers[peer].departure().ifPresent(this::fail);
        requireHealthy();
        if (nanos <= 0) {
          fail(silence(silent(peer)));
        } else {
          nanos = changed.awaitNanos(nanos);
        }
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      fail("rank " + rank + " was interrupted");
      throw new CollectiveException(where() + "interrupted", interrupted);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits for a peer's next note: without a limit, for it does not belong to an operation, but no
   * longer than the step timeout for a sign of life from a peer that has given one.
   */
  byte[] takeNote(int peer) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (true) {
        Optional<byte[]> note = peers[peer].takeNote();
        if (note.isPresent()) {
          return note.get();
        }
        requireHealthy();
        if (peers[peer].departure().isPresent()) {
          throw new CollectiveException(where() + peers[peer].departure().get());
        }
        Duration left = timeout.minus(lastKnown.silence(peer));
        if (left.isNegative()) {
          fail(silence(Integer.toString(peer)));
        } else {
          changed.awaitNanos(left.toNanos());
        }
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public Optional<ByteBuffer> memory(int peer, int bytes) {
    if (pool.fits(bytes)) {
      return Optional.of(pool.acquire(bytes));
    }
    fail(
        "rank "
            + peer
            + " sent a frame of "
            + bytes
            + " bytes: every rank must have the same chunk size");
    return Optional.empty();
  }

  @Override
  public void received(int peer, ByteBuffer frame) {
    if (!isKept(peer, frame)) {
      pool.release(frame);
    }
  }

  /**
   * Whether the frame waits for an operation now; what it says is taken in otherwise, or dropped.
   */
  private boolean isKept(int peer, ByteBuffer frame) {
    try {
      Optional<FrameHeader> header = codec.open(frame);
      if (header.isEmpty()) {
        countStale();
      } else if (header.get().sender() != peer) {
        fail("a frame from rank " + peer + " claims to be from rank " + header.get().sender());
      } else {
        return accept(header.get(), frame);
      }
    } catch (DamagedFrameException damage) {
      fail("a frame from rank " + peer + " arrived damaged (" + damage.getMessage() + ")");
    }
    return false;
  }

  @Override
  public void lost(int peer, String reason) {
    lock.lock();
    try {
      if (peers[peer].departure().isEmpty()) {
        fail("the connection to rank " + peer + " is lost (" + reason + ")");
      }
    } finally {
      lock.unlock();
    }
  }

  /** Ends the collective; the first reason stands. */
  void fail(String reason) {
    fail(reason, "rank " + rank + ": " + reason);
  }

  /** Ends the collective, and says so to the caller. */
  CollectiveException abort(String reason) {
    fail(reason);
    return new CollectiveException(where() + reason);
  }

  /** Why the collective ended, as the rank that noticed first put it. */
  Optional<String> failureOrigin() {
    lock.lock();
    try {
      return Optional.ofNullable(failureOrigin);
    } finally {
      lock.unlock();
    }
  }

  /** What the ranks last said that they are doing. */
  LastKnown lastKnown() {
    return lastKnown;
  }

  /** Frames of other runs and attempts that were dropped. */
  long staleFrames() {
    lock.lock();
    try {
      return staleFrames;
    } finally {
      lock.unlock();
    }
  }

  private boolean accept(FrameHeader header, ByteBuffer payload) {
    switch (header.operation()) {
      case FAREWELL -> depart(header.sender(), text(payload));
      case NOTE -> keepNote(header, payload);
      case ACTIVITY -> {
        payload.limit(Math.min(payload.limit(), payload.position() + Collective.LARGEST_NOTE));
        lastKnown.heard(header.sender(), header.key().sequence(), text(payload));
      }
      default -> {
        return keep(header, payload);
      }
    }
    return false;
  }

  private static String text(ByteBuffer payload) {
    return StandardCharsets.UTF_8.decode(payload).toString();
  }

  private boolean keep(FrameHeader header, ByteBuffer payload) {
    int sender = header.sender();
    lock.lock();
    try {
      if (header.key().sequence() == sequence && header.operation() != operation) {
        outOfStep(sender).accept(header.operation());
      }
      if (failure != null || header.key().sequence() <= completed) {
        return false;
      }
      boolean kept = peers[sender].put(header, payload);
      peers[sender]
          .excess()
          .ifPresent(bytes -> fail("rank " + sender + " sent " + bytes + " bytes too early"));
      if (sender == awaitedPeer && header.key().equals(awaited)) {
        changed.signalAll();
      }
      return kept;
    } finally {
      lock.unlock();
    }
  }

  private void keepNote(FrameHeader header, ByteBuffer payload) {
    lock.lock();
    try {
      peers[header.sender()].putNote(header, payload).ifPresent(this::fail);
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void depart(int peer, String reason) {
    lock.lock();
    try {
      peers[peer].depart("rank " + peer + " has left the collective");
      if (!reason.isEmpty()) {
        fail("rank " + peer + " gave up: " + reason, reason);
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void fail(String reason, String origin) {
    lock.lock();
    try {
      if (failure == null) {
        failure = reason;
        failureOrigin = origin;
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void requireHealthy() {
    if (failure != null) {
      throw new CollectiveException(where() + failure);
    }
  }

  private String where() {
    return "rank " + rank + " of " + peers.length + ", " + operation + " " + sequence + ": ";
  }

  private String silent(int awaited) {
    StringBuilder silent = new StringBuilder();
    for (int peer = 0; peer < peers.length; peer++) {
      if (peer != rank && (peer == awaited || peers[peer].latest() < sequence)) {
        silent.append(silent.length() == 0 ? "" : ", ").append(peer);
      }
    }
    return silent.toString();
  }

  private String silence(String silent) {
    return "no frame for "
        + seconds(timeout)
        + " s; not heard from: rank "
        + silent
        + lastKnown.report();
  }

  static double seconds(Duration duration) {
    return duration.toMillis() / (double) TimeUnit.SECONDS.toMillis(1);
  }

  private Consumer<Operation> outOfStep(int peer) {
    return other ->
        fail(
            "rank "
                + peer
                + " is in "
                + other
                + " "
                + sequence
                + " while rank "
                + rank
                + " is in "
                + operation
                + " "
                + sequence
                + ": every rank must call the same operations in the same order");
  }

  private void countStale() {
    lock.lock();
    try {
      staleFrames++;
    } finally {
      lock.unlock();
    }
  }
}
