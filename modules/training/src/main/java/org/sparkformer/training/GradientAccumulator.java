package org.sparkformer.training;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Function;
import org.sparkformer.collective.Collective;
import org.sparkformer.collective.TreeAccumulator;
import org.sparkformer.models.LanguageModel;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Add;
import org.sparkformer.tensor.ops.Fill;

/**
 * Adds the gradients of this rank's micro-batches along the one summation tree, on the device, in
 * buffers that live as long as the run. The additions that wait for the last micro-batch are made
 * range by range, so that a range whose gradients are final can leave while the rest is computed.
 */
final class GradientAccumulator implements AutoCloseable {
  private final Backend backend;
  private final List<GradientBuffer> buffers = new ArrayList<>();
  private final Deque<GradientBuffer> free = new ArrayDeque<>();
  private final TreeAccumulator<GradientBuffer> tree;
  private final List<Addition> lastAdditions = new ArrayList<>();
  private boolean last;

  private record Addition(Tensor left, Tensor right) {}

  /**
   * @param size elements of the gradients
   * @param model binds the model to where its backward pass adds gradients
   */
  GradientAccumulator(Rank rank, long size, Function<Tensor, LanguageModel> model) {
    Collective collective = rank.collective();
    this.backend = rank.backend();
    int count = collective.tree().buffersNeeded(collective.ownedLeaves());
    for (int i = 0; i < count; i++) {
      buffers.add(new GradientBuffer(backend, size, model));
    }
    free.addAll(buffers);
    this.tree =
        new TreeAccumulator<>(collective.tree(), collective.ownedLeaves(), this::fold, free::push);
  }

  private GradientBuffer fold(GradientBuffer left, GradientBuffer right) {
    Addition addition = new Addition(left.flat(), right.flat());
    if (last) {
      lastAdditions.add(addition);
    } else {
      add(addition.left(), addition.right());
    }
    return left;
  }

  private void add(Tensor left, Tensor right) {
    backend.run(new Add(left, right, left));
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

  /**
   * Takes the buffer of the last micro-batch before its passes; {@link #fold(Bucket)} makes the
   * additions.
   *
   * @return where this rank's partial sums will be; to be given back through {@link #release}
   */
  List<GradientBuffer> pushLast(GradientBuffer buffer) {
    lastAdditions.clear();
    last = true;
    tree.push(buffer);
    last = false;
    return tree.partials();
  }

  /** This rank's partial sums of what was pushed; to be given back through {@link #release}. */
  List<GradientBuffer> partials() {
    return tree.partials();
  }

  /** Adds up a range whose gradients of the last micro-batch are final. */
  void fold(Bucket range) {
    for (Addition addition : lastAdditions) {
      add(range.of(addition.left()), range.of(addition.right()));
    }
  }

  void release(List<GradientBuffer> partials) {
    partials.forEach(free::push);
  }

  @Override
  public void close() {
    buffers.forEach(GradientBuffer::close);
  }
}
