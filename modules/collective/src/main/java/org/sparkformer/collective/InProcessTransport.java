package org.sparkformer.collective;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * Ranks that are threads of one process. They find each other by run id and attempt alone, because
 * the tasks of Spark's local mode share nothing else.
 */
public final class InProcessTransport implements Transport {
  // Process-wide on purpose: see above. An entry lives from the first join to the last close.
  private static final ConcurrentMap<Key, Group> GROUPS = new ConcurrentHashMap<>();

  private final Key key;
  private final Group group;
  private final int rank;
  private final AtomicBoolean closed = new AtomicBoolean();

  private InProcessTransport(Key key, Group group, int rank) {
    this.key = key;
    this.group = group;
    this.rank = rank;
  }

  /**
   * Joins the group of that run and attempt, founding it when this rank is the first.
   *
   * @throws IllegalArgumentException when the rank has joined already, or others joined with
   *     another size
   */
  public static InProcessTransport join(String runId, int attempt, int rank, int size) {
    if (rank < 0 || rank >= size) {
      throw new IllegalArgumentException("rank " + rank + " is not one of " + size + " ranks");
    }
    Key key = new Key(runId, attempt);
    Group joined =
        GROUPS.compute(
            key,
            (name, existing) -> {
              Group group = existing == null ? new Group(size) : existing;
              group.join(rank, size, name);
              return group;
            });
    return new InProcessTransport(key, joined, rank);
  }

  /** All ranks of a new group, by rank. */
  public static List<InProcessTransport> group(String runId, int attempt, int size) {
    List<InProcessTransport> ranks = new ArrayList<>(size);
    for (int rank = 0; rank < size; rank++) {
      ranks.add(join(runId, attempt, rank, size));
    }
    return List.copyOf(ranks);
  }

  @Override
  public int rank() {
    return rank;
  }

  @Override
  public int size() {
    return group.seats.size();
  }

  @Override
  public int connections() {
    return 1;
  }

  @Override
  public void start(Receiver receiver) {
    group.seats.get(rank).start(receiver);
  }

  @Override
  public void send(int peer, ByteBuffer frame, Runnable released) {
    if (!closed.get()) {
      group.seats.get(peer).deliver(rank, frame);
    }
    released.run();
  }

  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    group.seats.get(rank).leave();
    for (int peer = 0; peer < size(); peer++) {
      if (peer != rank) {
        group.seats.get(peer).deliverLoss(rank);
      }
    }
    GROUPS.computeIfPresent(key, (name, present) -> present.leave() ? null : present);
  }

  private record Key(String runId, int attempt) {}

  private static final class Group {
    final List<Seat> seats = new ArrayList<>();
    private final boolean[] taken;
    private int present;

    Group(int size) {
      this.taken = new boolean[size];
      for (int rank = 0; rank < size; rank++) {
        seats.add(new Seat());
      }
    }

    void join(int rank, int size, Key name) {
      if (size != taken.length || taken[rank]) {
        throw new IllegalArgumentException(
            "rank "
                + rank
                + " of "
                + size
                + " cannot join "
                + name
                + " of "
                + taken.length
                + " ranks"
                + (size == taken.length ? ": it has joined already" : ""));
      }
      taken[rank] = true;
      present++;
    }

    /** Whether the last member left. */
    boolean leave() {
      present--;
      return present == 0;
    }
  }

  /** One rank's place: keeps what arrives until the rank listens. */
  private static final class Seat {
    private final Queue<Consumer<Receiver>> early = new ArrayDeque<>();
    private Receiver receiver;
    private boolean left;

    synchronized void start(Receiver listener) {
      early.forEach(event -> event.accept(listener));
      early.clear();
      receiver = listener;
    }

    void deliver(int sender, ByteBuffer frame) {
      Receiver listener = listenerOrKeep(() -> keepFrame(sender, frame));
      if (listener != null) {
        listener.receivedElsewhere(sender, frame);
      }
    }

    void deliverLoss(int sender) {
      Consumer<Receiver> loss = to -> to.lost(sender, "it closed its transport");
      Receiver listener = listenerOrKeep(() -> early.add(loss));
      if (listener != null) {
        loss.accept(listener);
      }
    }

    synchronized void leave() {
      left = true;
      early.clear();
    }

    private synchronized Receiver listenerOrKeep(Runnable keep) {
      if (receiver == null && !left) {
        keep.run();
      }
      return left ? null : receiver;
    }

    private void keepFrame(int sender, ByteBuffer frame) {
      ByteBuffer copy = ByteBuffer.allocate(frame.remaining()).put(frame).flip();
      early.add(to -> to.receivedElsewhere(sender, copy));
    }
  }
}
