package org.sparkformer.training;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Future;
import org.sparkformer.collective.SummationTree;
import org.sparkformer.collective.TreeAccumulator;
import org.sparkformer.models.ParameterLayout.Parameter;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Add;
import org.sparkformer.tensor.ops.Fill;

/**
 * The gradients of a pass, of which a rank keeps its slices alone. What a block has added leaves
 * when the backward pass is through it: the ranks' micro-batches of one round are added up between
 * the ranks, and the rounds one after the other on the device, each sum a node of the one tree.
 */
final class GradientShards implements AutoCloseable {
  private final Backend backend;
  private final Units units;
  private final List<Slice> slices;
  private final BucketTraffic traffic;
  private final SummationTree rounds;
  private final UnitBuffers buffers;
  private final Deque<Tensor> free = new ArrayDeque<>();
  private final List<Tensor> vectors;
  private final TreeAccumulator<Tensor> accumulator;
  private final List<Future<?>> underWay = new ArrayList<>();
  private final List<Float> losses = new ArrayList<>();

  /**
   * @param traffic its tree has a leaf a rank
   * @param rounds a leaf for each micro-batch of a rank
   */
  GradientShards(
      Backend backend,
      Units units,
      List<Slice> slices,
      BucketTraffic traffic,
      SummationTree rounds) {
    this.backend = backend;
    this.units = units;
    this.slices = slices;
    this.traffic = traffic;
    this.rounds = rounds;
    this.buffers = new UnitBuffers(backend, units);
    long owned = slices.stream().mapToLong(Slice::parameters).sum();
    for (int i = 0; i < rounds.buffersNeeded(rounds.root()); i++) {
      free.push(backend.floats(owned));
    }
    this.vectors = List.copyOf(free);
    this.accumulator = new TreeAccumulator<>(rounds, rounds.root(), this::add, free::push);
  }

  private Tensor add(Tensor left, Tensor right) {
    backend.run(new Add(left, right, left));
    return left;
  }

  /** Where a backward pass adds a parameter's gradient; borrowed. */
  Tensor of(Parameter parameter) {
    return buffers.of(parameter);
  }

  /** Where the summed loss of the micro-batch belongs, [1]; borrowed. */
  Tensor loss() {
    return buffers.shared().view(units.sharedPlace(units.buckets().layout().size()), 1);
  }

  /** A micro-batch begins: zeros. */
  void beginPass() {
    backend.run(new Fill(buffers.shared(), 0f));
  }

  /** The backward pass comes to a block: zeros. */
  void enter(int layer) {
    backend.run(new Fill(buffers.block(layer), 0f));
  }

  /** The backward pass is through a block: its gradients leave. */
  void leave(int layer) {
    buffers.completeShared(layer);
    units.blocks().get(layer).buckets().forEach(this::reduce);
  }

  /** The backward pass is over: what is shared leaves. */
  void endPass() {
    for (int index = units.firstShared(); index < units.buckets().all().size(); index++) {
      reduce(index);
    }
  }

  private void reduce(int index) {
    underWay.add(traffic.reduceScatter(index, List.of(buffers.bucket(index))));
  }

  /** Waits for this rank's slices of the last pass's sums, if any, and adds them on the device. */
  void collect() {
    if (underWay.isEmpty()) {
      return;
    }
    Tensor vector = free.pop();
    for (int index = 0; index < underWay.size(); index++) {
      Communication.await(underWay.get(index));
      traffic.writeOwn(index, slice -> slice.ofOwn(vector));
    }
    underWay.clear();
    losses.add(traffic.ownLoss());
    accumulator.push(vector);
  }

  /** The sum over all micro-batches, for the slices one after the other; until {@link #release}. */
  Tensor sum() {
    return accumulator.partials().get(0);
  }

  /** The summed loss of the step where this rank has it, else anything. */
  float ownLoss() {
    float loss = rounds.sum(losses, Float::sum);
    losses.clear();
    return loss;
  }

  void release(Tensor sum) {
    free.push(sum);
  }

  @Override
  public void close() {
    buffers.close();
    vectors.forEach(Tensor::close);
  }
}
