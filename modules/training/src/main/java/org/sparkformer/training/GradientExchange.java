package org.sparkformer.training;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import java.util.function.IntConsumer;
import org.sparkformer.collective.Addends;
import org.sparkformer.tensor.Tensor;

/**
 * Lets the buckets of a step's gradients leave while the backward pass of the rank's last
 * micro-batch runs, each as soon as the pass has finished it. With one rank there is one bucket,
 * and it stays where it is.
 */
final class GradientExchange {
  private final GradientAccumulator accumulator;
  private final List<Bucket> buckets;
  private final BucketTraffic traffic;
  private final Addends addends;
  private final List<Future<?>> underWay = new ArrayList<>();
  private List<GradientBuffer> partials = List.of();
  private int left;

  /**
   * @param traffic null where there is one rank
   * @param addends of all ranks' micro-batches
   */
  GradientExchange(
      GradientAccumulator accumulator, Buckets buckets, BucketTraffic traffic, Addends addends) {
    this.accumulator = accumulator;
    this.buckets = buckets.all();
    this.traffic = traffic;
    this.addends = addends;
  }

  /**
   * The passes of the last micro-batch begin.
   *
   * @param sums where this rank's partial sums will be
   */
  void begin(List<GradientBuffer> sums) {
    partials = sums;
    left = 0;
    underWay.clear();
  }

  /** The backward pass has reached a mark: what is final there leaves. */
  void reached(int mark) {
    while (left < buckets.size() && buckets.get(left).mark() >= mark) {
      Bucket bucket = buckets.get(left);
      accumulator.fold(bucket);
      if (traffic != null) {
        List<Tensor> sums = partials.stream().map(partial -> bucket.of(partial.flat())).toList();
        underWay.add(traffic.reduceScatter(left, addends, sums));
      }
      left++;
    }
  }

  /**
   * Waits for the sums and queues their way back to the device.
   *
   * @param arrived told the number of each bucket once this rank's slice of it is in {@link #sum}
   */
  void collect(IntConsumer arrived) {
    for (int index = 0; index < buckets.size(); index++) {
      if (traffic != null) {
        Communication.await(underWay.get(index));
        traffic.writeOwn(index, 0, slice -> slice.of(sum().flat()));
      }
      arrived.accept(index);
    }
  }

  /** The buffer whose own slices hold the sum over all ranks, once it is collected. */
  GradientBuffer sum() {
    return partials.get(0);
  }

  /** The loss summed over all ranks where this rank has it, else anything. */
  float ownLoss() {
    return traffic == null ? 0 : traffic.ownLoss(0);
  }
}
