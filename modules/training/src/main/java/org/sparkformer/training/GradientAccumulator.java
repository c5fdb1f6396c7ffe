package org.sparkformer.training;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.sparkformer.collective.Collective;
import org.sparkformer.collective.TreeAccumulator;
import org.sparkformer.models.GptConfiguration;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Add;
import org.sparkformer.tensor.ops.Fill;

/**
 * Adds the gradients of a global batch along the one summation tree: this rank's micro-batches on
 * the device, in buffers that live as long as the run, then the ranks' partial sums.
 */
final class GradientAccumulator implements AutoCloseable {
  private final Backend backend;
  private final List<GradientBuffer> buffers = new ArrayList<>();
  private final Deque<GradientBuffer> free = new ArrayDeque<>();
  private final TreeAccumulator<GradientBuffer> tree;
  private final GradientExchange exchange;

  GradientAccumulator(Rank rank, GptConfiguration configuration, Tensor parameters) {
    Collective collective = rank.collective();
    this.backend = rank.backend();
    int count = collective.tree().buffersNeeded(collective.ownedLeaves());
    for (int i = 0; i < count; i++) {
      buffers.add(new GradientBuffer(backend, configuration, parameters));
    }
    free.addAll(buffers);
    this.tree =
        new TreeAccumulator<>(collective.tree(), collective.ownedLeaves(), this::fold, free::push);
    this.exchange = new GradientExchange(backend, collective, buffers.get(0).flat().size());
  }

  private GradientBuffer fold(GradientBuffer left, GradientBuffer right) {
    backend.run(new Add(left.flat(), right.flat(), left.flat()));
    return left;
  }

  /** A buffer of zeros for the next micro-batch, to be handed to {@link #push}. */
  GradientBuffer next() {
    GradientBuffer buffer = free.pop();
    backend.run(new Fill(buffer.flat(), 0f));
    return buffer;
  }

  /** Takes a micro-batch's gradients. */
  void push(GradientBuffer buffer) {
    tree.push(buffer);
  }

  /** Sums over all ranks; the result is to be given back through {@link #release}. */
  GradientBuffer sum() {
    List<GradientBuffer> partials = tree.partials();
    exchange.sum(partials.stream().map(GradientBuffer::flat).toList());
    partials.stream().skip(1).forEach(free::push);
    return partials.get(0);
  }

  void release(GradientBuffer sum) {
    free.push(sum);
  }

  @Override
  public void close() {
    buffers.forEach(GradientBuffer::close);
  }
}
