package org.sparkformer.collective;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * A {@link Collective} over any {@link Transport}. Frames of other runs and attempts, repeated
 * frames and damaged ones never reach a sum: the first two are dropped, the last ends the
 * collective on every rank.
 */
public final class TreeCollective implements Collective {
  private final SummationTree tree;
  private final Transport transport;
  private final CollectiveOptions options;
  private final BufferPool pool;
  private final FlushedSum addition = new FlushedSum();
  private final BFloat16Format bfloat16 = new BFloat16Format();
  private final Inbox inbox;
  private final FrameReceiver receiver;
  private final Outbox outbox;
  private final Notices notices = new Notices(this);
  private final AtomicBoolean busy = new AtomicBoolean();
  private final AtomicBoolean closed = new AtomicBoolean();
  private volatile long idleSince = System.nanoTime();
  private Watch watch;

  /**
   * Takes ownership of the transport and starts it.
   *
   * @throws IllegalArgumentException when there are more ranks than leaves
   */
  public TreeCollective(SummationTree tree, Transport transport, CollectiveOptions options) {
    tree.ownedBy(transport.rank(), transport.size());
    this.tree = tree;
    this.transport = transport;
    this.options = options;
    this.pool = new BufferPool(FrameCodec.HEADER_BYTES + options.chunkBytes());
    this.inbox = new Inbox(rank(), size(), options.stepTimeout(), pool, mostWaitingBytes());
    this.receiver = new FrameReceiver(options, pool, inbox);
    this.outbox = new Outbox(transport, options, pool);
    transport.start(receiver);
  }

  @Override
  public int rank() {
    return transport.rank();
  }

  @Override
  public int size() {
    return transport.size();
  }

  @Override
  public SummationTree tree() {
    return tree;
  }

  /** Frames of other runs or attempts dropped so far. */
  public long staleFrames() {
    return receiver.staleFrames();
  }

  @Override
  public void allReduce(List<FloatBuffer> partials, FloatBuffer sum) {
    Terms terms = Terms.of(Addends.all(tree, size()), rank(), partials, WirePrecision.FP32);
    Terms.requireLength("the sum", sum, terms.length());
    FloatBuffer whole = sum.slice();
    Algorithm algorithm = options.rule().allReduce(size(), bytes(terms.length()));
    perform(Operation.ALL_REDUCE, wire -> new AllReduction(wire, terms, whole).run(algorithm));
  }

  @Override
  public void reduceScatter(
      Addends addends,
      List<FloatBuffer> partials,
      List<FloatBuffer> shards,
      WirePrecision precision) {
    Terms terms = Terms.of(addends, rank(), partials, precision);
    if (shards.size() != addends.sums().size()) {
      throw new IllegalArgumentException(
          "the sums are those of " + addends.sums() + ", got " + shards.size() + " shards");
    }
    int mine = shard(terms.length(), rank()).length();
    shards.forEach(shard -> Terms.requireLength("the shard", shard, mine));
    List<FloatBuffer> results = shards.stream().map(FloatBuffer::slice).toList();
    perform(
        Operation.REDUCE_SCATTER,
        wire ->
            new Reduction(wire, terms, rank -> shard(terms.length(), rank))
                .into(results, round -> {}));
  }

  @Override
  public void allGather(FloatBuffer shard, FloatBuffer all) {
    ShardRange mine = shard(all.remaining(), rank());
    Terms.requireLength("the shard", shard, mine.length());
    FloatBuffer whole = all.slice();
    Algorithm algorithm = options.rule().allGather(size(), bytes(whole.limit()));
    perform(
        Operation.ALL_GATHER,
        wire -> {
          whole.slice(mine.offset(), mine.length()).put(shard.duplicate());
          new Gathering(wire, whole).run(algorithm);
        });
  }

  @Override
  public void broadcast(int root, ByteBuffer data) {
    if (root < 0 || root >= size()) {
      throw new IllegalArgumentException("root " + root + " is not one of " + size() + " ranks");
    }
    perform(Operation.BROADCAST, wire -> new Messages(wire).broadcast(root, data.slice()));
  }

  @Override
  public List<byte[]> allGather(byte[] message) {
    if (message.length > Messages.LARGEST_MESSAGE) {
      throw new IllegalArgumentException(
          "a message of "
              + message.length
              + " bytes is too long: use broadcast or allGather of a"
              + " vector for more than "
              + Messages.LARGEST_MESSAGE);
    }
    List<byte[]> messages = new ArrayList<>(size());
    perform(Operation.MESSAGES, wire -> messages.addAll(new Messages(wire).gather(message)));
    return messages;
  }

  @Override
  public void barrier() {
    perform(Operation.BARRIER, wire -> new Messages(wire).gather(new byte[0]));
  }

  @Override
  public void post(int rank, byte[] note) {
    if (rank < 0 || rank >= size() || rank == rank()) {
      throw new IllegalArgumentException(
          "rank " + rank() + " of " + size() + " cannot post a note to rank " + rank);
    }
    if (note.length > LARGEST_NOTE) {
      throw new IllegalArgumentException(
          "a note holds at most " + LARGEST_NOTE + " bytes, got " + note.length);
    }
    notices.note(rank, note);
  }

  @Override
  public byte[] takeNote(int rank) throws InterruptedException {
    return inbox.takeNote(rank);
  }

  @Override
  public synchronized void watch(Activity activity) {
    if (closed.get()) {
      throw new IllegalStateException("rank " + rank() + " has left the collective");
    }
    stopWatch();
    inbox.lastKnown().watch(activity);
    watch = new Watch(this, activity, options).start();
  }

  /** For how long this rank has not been in an operation; zero while it is in one. */
  Duration idle() {
    return busy.get() ? Duration.ZERO : Duration.ofNanos(System.nanoTime() - idleSince);
  }

  /** Ends the collective for all ranks, because this one does not move. */
  void abandon(String reason, Activity activity) {
    String report = reason + inbox.lastKnown().report();
    String told = "rank " + rank() + ": " + report;
    // In this order the peers hear the reason, and the woken thread finds it, before anything ends.
    notices.farewell(told);
    activity.stuck(told);
    inbox.fail(report);
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      stopWatch();
      notices.farewell(inbox.failureOrigin().orElse(""));
      inbox.fail("rank " + rank() + " has closed this collective");
      transport.close();
    }
  }

  private synchronized void stopWatch() {
    if (watch != null) {
      watch.close();
    }
  }

  Notices notices() {
    return notices;
  }

  Inbox inbox() {
    return inbox;
  }

  Outbox outbox() {
    return outbox;
  }

  BufferPool pool() {
    return pool;
  }

  FlushedSum addition() {
    return addition;
  }

  BFloat16Format bfloat16() {
    return bfloat16;
  }

  int connections() {
    return transport.connections();
  }

  int chunkBytes() {
    return options.chunkBytes();
  }

  /**
   * A peer can be some chunks of each of its partial sums ahead, and twice as many of a sum, in
   * this operation and in the next.
   */
  private long mostWaitingBytes() {
    int parts = 1;
    for (int peer = 0; peer < size(); peer++) {
      parts = Math.max(parts, tree.partialsOf(peer, size()).size());
    }
    return 2L
        * (2 + parts)
        * (Reduction.LOOKAHEAD + 2)
        * (FrameCodec.HEADER_BYTES + options.chunkBytes());
  }

  private void perform(Operation operation, Consumer<Wire> work) {
    if (!busy.compareAndSet(false, true)) {
      throw new IllegalStateException(
          operation + " on rank " + rank() + " while another thread runs an operation");
    }
    try {
      work.accept(new Wire(operation, inbox.begin(operation), this));
      inbox.end();
    } catch (CollectiveException failure) {
      notices.farewell(inbox.failureOrigin().orElse(failure.getMessage()));
      throw failure;
    } finally {
      idleSince = System.nanoTime();
      busy.set(false);
    }
  }

  private static long bytes(int floats) {
    return (long) floats * Float.BYTES;
  }
}
