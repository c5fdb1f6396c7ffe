package org.sparkformer.collective;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.List;

/**
 * What the ranks of one training attempt do together. Every rank calls the same operations in the
 * same order, one at a time; each blocks until this rank's part is done.
 *
 * <p>Sums follow {@link #tree()} whatever the number of ranks, so they are bit-identical for 1, 2,
 * 4 ... ranks. Additions treat denormal inputs and results as zeros of the same sign, as the
 * devices do. Buffers are read and written between position and limit, which stay where they are;
 * direct buffers in native byte order are the fast path.
 *
 * <p>Operations throw {@link CollectiveException} when a peer is lost, silent for longer than the
 * step timeout, or sent a damaged frame. The collective is of no use afterwards: close it and start
 * another attempt.
 */
public interface Collective extends AutoCloseable {
  /** Bytes of the longest note. */
  int LARGEST_NOTE = 4096;

  /** This rank, from 0 to {@code size() - 1}. */
  int rank();

  /** Number of ranks. */
  int size();

  /** The order of every sum. */
  SummationTree tree();

  /** The leaves (micro-batches) that this rank computes. */
  default LeafRange ownedLeaves() {
    return tree().ownedBy(rank(), size());
  }

  /**
   * The part of a vector of {@code length} floats that {@code rank} owns in {@link #reduceScatter}.
   */
  default ShardRange shard(int length, int rank) {
    return ShardRange.of(length, rank, size());
  }

  /**
   * Sums a vector over all leaves; every rank gets the whole sum.
   *
   * @param partials one vector for each of {@code tree().partialsOf(rank(), size())}, in that
   *     order, all of the same length, the same on every rank
   * @param sum receives the sum; may be one of the partials
   */
  void allReduce(List<FloatBuffer> partials, FloatBuffer sum);

  /**
   * Sums a vector over all leaves; every rank gets its own shard of the sum.
   *
   * @param partials as in {@link #allReduce}
   * @param shard receives {@code shard(length, rank())}; holds exactly that many floats
   */
  default void reduceScatter(List<FloatBuffer> partials, FloatBuffer shard) {
    reduceScatter(Addends.all(tree(), size()), partials, List.of(shard), WirePrecision.FP32);
  }

  /**
   * As {@link #reduceScatter(List, FloatBuffer)}, of some leaves.
   *
   * @param addends the same on every rank
   * @param partials one vector for each node that this rank has; where it has none, one that is not
   *     read and tells the length
   * @param shards receive this rank's shard of each of {@code addends.sums()}
   * @param precision of the partial sums on their way, the same on every rank
   */
  void reduceScatter(
      Addends addends,
      List<FloatBuffer> partials,
      List<FloatBuffer> shards,
      WirePrecision precision);

  /**
   * Puts the ranks' shards together.
   *
   * @param shard this rank's part, {@code shard(all.remaining(), rank())} floats; may be that slice
   *     of {@code all}
   * @param all receives the whole vector, the same length on every rank
   */
  void allGather(FloatBuffer shard, FloatBuffer all);

  /**
   * Copies bytes from one rank to all others.
   *
   * @param data what {@code root} sends; elsewhere receives it, the same length on every rank
   */
  void broadcast(int root, ByteBuffer data);

  /** Gives every rank every rank's message, by rank. Messages may differ in length. */
  List<byte[]> allGather(byte[] message);

  /** Returns once every rank has called it. */
  void barrier();

  /**
   * Leaves a note for another rank and returns at once. Notes are no operations: they may be posted
   * on any thread at any time, and do not wait for what the ranks are doing.
   *
   * @param note at most {@link #LARGEST_NOTE} bytes
   */
  void post(int rank, byte[] note);

  /**
   * Waits on any thread, for as long as it takes, for the next note that a rank has posted to this
   * one.
   *
   * @throws CollectiveException when the peer is lost, the collective has ended, or a peer that is
   *     {@linkplain #watch watched} has not been heard from for longer than the step timeout
   * @throws InterruptedException when the thread is interrupted; the collective goes on
   */
  byte[] takeNote(int rank) throws InterruptedException;

  /**
   * Watches over this rank until it is called again or the collective is closed. The other ranks
   * hear about once a second what it is doing; where it does not move for longer than the step
   * timeout, outside of any operation, the collective ends. Who ends it for a timeout reports what
   * each rank last did.
   */
  void watch(Activity activity);

  /**
   * Leaves the collective and wakes whoever is blocked in it; peers waiting for this rank fail at
   * once.
   */
  @Override
  void close();
}
