package org.sparkformer.training;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Future;
import org.sparkformer.models.ParameterLayout.Parameter;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.AdamW;

/**
 * Updates this rank's slices of the parameters, and gets the other slices from the ranks that
 * updated them. Buckets go from the last to the first: that is the order in which a forward pass
 * comes to their parameters, and it can begin before all are there.
 */
final class ParameterUpdate {
  private final Backend backend;
  private final ModelState state;
  private final List<Bucket> buckets;
  private final BucketTraffic traffic;

  /** Of the buckets before this many, from the last of them to the first. */
  private final Deque<Future<Staging.Place>> underWay = new ArrayDeque<>();

  /**
   * @param traffic null where there is one rank
   */
  ParameterUpdate(Backend backend, ModelState state, Buckets buckets, BucketTraffic traffic) {
    this.backend = backend;
    this.state = state;
    this.buckets = buckets.all();
    this.traffic = traffic;
  }

  /**
   * Queues AdamW on each slice; an updated slice leaves while the next is computed.
   *
   * @param gradients this rank's slices of it hold the sum over all ranks
   * @param squaredNorm of all gradients, [1]
   */
  void run(Tensor gradients, Tensor squaredNorm, AdamW.Settings settings) {
    for (int index = buckets.size() - 1; index >= 0; index--) {
      Slice slice = state.slices().get(index);
      if (slice.holdsParameters()) {
        state.update(backend, slice, slice.of(gradients), squaredNorm, settings);
      }
      if (traffic != null) {
        underWay.add(traffic.allGather(index, state::parameters));
      }
    }
  }

  /** Waits for the other ranks' slices of a parameter and queues their way to the device. */
  void require(Parameter parameter) {
    while (buckets.subList(0, underWay.size()).stream().anyMatch(each -> each.reaches(parameter))) {
      collectNext();
    }
  }

  /** As {@link #require}, for all parameters. */
  void collect() {
    while (!underWay.isEmpty()) {
      collectNext();
    }
  }

  private void collectNext() {
    Staging.Place place = traffic.await(underWay.remove());
    int index = underWay.size();
    traffic.writeOthers(index, place, state.parameters());
    Bucket bucket = buckets.get(index);
    Slice own = state.slices().get(index);
    state.round(backend, bucket.from(), own.from());
    state.round(backend, own.from() + own.length(), bucket.to());
  }
}
