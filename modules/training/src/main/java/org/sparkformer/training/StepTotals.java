package org.sparkformer.training;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.sparkformer.collective.Collective;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Backend.Pending;
import org.sparkformer.tensor.HostMemory;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.BlockSum;

/**
 * The squared norm of the gradients, and the loss, of which each rank knows a part. Squares are
 * summed over fixed blocks, each by the rank that owns it; the block sums are put together in the
 * blocks' order on every rank and added in the one order that depends on their number only.
 */
final class StepTotals implements AutoCloseable {
  private final Backend backend;
  private final Collective collective;
  private final Communication communication;
  private final List<List<Slice>> slicesByRank = new ArrayList<>();
  private final List<Slice> slices;
  private final Tensor blockSums;
  private final Tensor ownSums;
  private final BlockReduction reduction;
  private final int share;
  private final HostMemory gatheredMemory;
  private final HostMemory orderedMemory;
  private final ByteBuffer gathered;
  private final ByteBuffer ordered;
  private Pending written = Pending.DONE;
  private double loss = Double.NaN;

  StepTotals(Rank rank, Buckets buckets, Communication communication) {
    this.backend = rank.backend();
    this.collective = rank.collective();
    this.communication = communication;
    for (int other = 0; other < collective.size(); other++) {
      slicesByRank.add(buckets.slices(other));
    }
    this.slices = slicesByRank.get(collective.rank());
    long blocks = BlockSum.blocks(buckets.layout().size());
    this.blockSums = backend.floats(blocks);
    this.ownSums = rank.isAlone() ? blockSums.share() : backend.floats(blocksOf(slices));
    this.reduction = new BlockReduction(backend, blocks);
    long most = slicesByRank.stream().mapToLong(StepTotals::blocksOf).max().orElse(0);
    // One more float for the loss; whole blocks, because the collective divides by these.
    this.share = Math.toIntExact((most / Slice.BLOCK + 1) * Slice.BLOCK);
    this.gatheredMemory = memory(rank.isAlone() ? 0 : share * collective.size());
    this.orderedMemory = memory(rank.isAlone() ? 0 : Math.toIntExact(blocks));
    this.gathered = gatheredMemory.bytes();
    this.ordered = orderedMemory.bytes();
  }

  private HostMemory memory(int floats) {
    return backend.hostMemory(floats * Float.BYTES);
  }

  private static long blocksOf(List<Slice> slices) {
    return slices.stream().mapToLong(slice -> BlockSum.blocks(slice.parameters())).sum();
  }

  /**
   * Queues the sums of squares over the blocks of this rank's slice of a bucket.
   *
   * @param gradients finds the gradients of a slice's parameters
   */
  void add(int index, Function<Slice, Tensor> gradients) {
    Slice slice = slices.get(index);
    if (slice.holdsParameters()) {
      // Slices but the last of all end at whole blocks, so packed blocks are whole too.
      long first = blocksOf(slices.subList(0, index));
      Tensor sums = ownSums.view(first, BlockSum.blocks(slice.parameters()));
      backend.run(new BlockSum(gradients.apply(slice), sums, true));
    }
  }

  /**
   * Queues the squared norm of all ranks' gradients; waits for the other ranks' part.
   *
   * @param squaredNorm [1]
   * @param ownLoss the summed loss where this rank has it, else anything
   */
  void finish(Tensor squaredNorm, float ownLoss) {
    if (collective.size() > 1) {
      exchange(ownLoss);
      arrange();
      written = backend.startWrite(blockSums, ordered.duplicate().order(ByteOrder.nativeOrder()));
    }
    reduction.run(blockSums, squaredNorm, false);
  }

  private void exchange(float ownLoss) {
    FloatBuffer all = gathered.asFloatBuffer();
    FloatBuffer mine = all.slice(collective.rank() * share, share);
    mine.put(share - 1, ownLoss);
    int first = collective.rank() * share * Float.BYTES;
    Pending copy =
        backend.startRead(
            ownSums, gathered.slice(first, (int) ownSums.bytes()).order(ByteOrder.nativeOrder()));
    Communication.await(
        communication.submit(
            () -> {
              copy.await();
              communication.timed(
                  "all-gather of the gradient norm", () -> collective.allGather(mine, all));
              return null;
            }));
  }

  /** From the ranks' order to that of the blocks. */
  private void arrange() {
    written.await();
    FloatBuffer all = gathered.asFloatBuffer();
    FloatBuffer inOrder = ordered.asFloatBuffer();
    for (int rank = 0; rank < slicesByRank.size(); rank++) {
      int at = rank * share;
      for (Slice slice : slicesByRank.get(rank)) {
        int count = (int) BlockSum.blocks(slice.parameters());
        if (count > 0) {
          inOrder.put((int) (slice.from() / Slice.BLOCK), all, at, count);
          at += count;
        }
        if (slice.holdsLoss()) {
          loss = all.get((rank + 1) * share - 1);
        }
      }
    }
  }

  /**
   * The loss summed over all ranks, once {@link #finish} has put it together.
   *
   * @param alone where one rank has it, [1]
   */
  double loss(Tensor alone) {
    return collective.size() > 1 ? loss : backend.readFloats(alone)[0];
  }

  @Override
  public void close() {
    blockSums.close();
    ownSums.close();
    reduction.close();
    if (communication.isOver()) {
      gatheredMemory.close();
      orderedMemory.close();
    }
  }
}
