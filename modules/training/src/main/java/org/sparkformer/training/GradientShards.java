package org.sparkformer.training;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.sparkformer.collective.Addends;
import org.sparkformer.collective.TreeAccumulator;
import org.sparkformer.models.ParameterLayout.Parameter;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Add;
import org.sparkformer.tensor.ops.Fill;

/**
 * The gradients of a pass, of which a rank keeps its slices alone. What a block has added leaves
 * when the backward pass is through it: the ranks' micro-batches of one round are added up between
 * the ranks to nodes of the one tree, and those of the rounds one after the other on the device.
 */
final class GradientShards implements AutoCloseable {
  private final Backend backend;
  private final Units units;
  private final List<Slice> slices;
  private final BucketTraffic traffic;
  private final Rounds rounds;
  private final UnitBuffers buffers;
  private final Deque<Tensor> free = new ArrayDeque<>();
  private final List<Tensor> vectors;
  private final TreeAccumulator<Tensor> accumulator;
  private final List<Future<?>> underWay = new ArrayList<>();
  private final TreeAccumulator<Float> losses;
  private Addends current;
  private Addends left;
  private int round;

  GradientShards(
      Backend backend, Units units, List<Slice> slices, BucketTraffic traffic, Rounds rounds) {
    this.backend = backend;
    this.units = units;
    this.slices = slices;
    this.traffic = traffic;
    this.rounds = rounds;
    this.buffers = new UnitBuffers(backend, units);
    long owned = slices.stream().mapToLong(Slice::parameters).sum();
    for (int i = 0; i < rounds.vectors(); i++) {
      free.push(backend.floats(owned));
    }
    this.vectors = List.copyOf(free);
    this.accumulator = new TreeAccumulator<>(rounds.tree(), rounds.sums(), this::add, free::push);
    this.losses = new TreeAccumulator<>(rounds.tree(), rounds.sums(), Float::sum, released -> {});
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

  /** A round begins: zeros. */
  void beginPass() {
    current = rounds.addends(round++ % rounds.count());
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
    left = current;
  }

  private void reduce(int index) {
    underWay.add(traffic.reduceScatter(index, current, List.of(buffers.bucket(index))));
  }

  /** Waits for this rank's slices of the last round's sums, if any, and adds them on the device. */
  void collect() {
    if (underWay.isEmpty()) {
      return;
    }
    List<Tensor> sums = Stream.generate(free::pop).limit(left.sums().size()).toList();
    for (int index = 0; index < underWay.size(); index++) {
      Communication.await(underWay.get(index));
      for (int sum = 0; sum < sums.size(); sum++) {
        Tensor vector = sums.get(sum);
        traffic.writeOwn(index, sum, slice -> slice.ofOwn(vector));
      }
    }
    underWay.clear();
    for (int sum = 0; sum < sums.size(); sum++) {
      accumulator.push(sums.get(sum));
      losses.push(traffic.ownLoss(sum));
    }
  }

  /** The sum over all micro-batches, for the slices one after the other; until {@link #release}. */
  Tensor sum() {
    return accumulator.partials().get(0);
  }

  /** The summed loss of the step where this rank has it, else anything. */
  float ownLoss() {
    return losses.partials().get(0);
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
