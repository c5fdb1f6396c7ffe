package org.sparkformer.training;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.AdamW;

/**
 * Updates this rank's slices of the parameters, and gets the other slices from the ranks that
 * updated them.
 */
final class ParameterUpdate {
  private final Backend backend;
  private final ModelState state;
  private final BucketTraffic traffic;
  private final List<Future<Staging.Place>> underWay = new ArrayList<>();

  /**
   * @param traffic null where there is one rank
   */
  ParameterUpdate(Backend backend, ModelState state, BucketTraffic traffic) {
    this.backend = backend;
    this.state = state;
    this.traffic = traffic;
  }

  /**
   * Queues AdamW on each slice; an updated slice leaves while the next is computed.
   *
   * @param gradients this rank's slices of it hold the sum over all ranks
   * @param squaredNorm of all gradients, [1]
   */
  void run(Tensor gradients, Tensor squaredNorm, AdamW.Settings settings) {
    underWay.clear();
    for (int index = 0; index < state.slices().size(); index++) {
      Slice slice = state.slices().get(index);
      if (slice.holdsParameters()) {
        state.update(backend, slice, slice.of(gradients), squaredNorm, settings);
      }
      if (traffic != null) {
        underWay.add(traffic.allGather(index, state::parameters));
      }
    }
  }

  /** Waits for the other ranks' slices and queues their way to the device. */
  void collect() {
    for (int index = 0; index < underWay.size(); index++) {
      Staging.Place place = Communication.await(underWay.get(index));
      traffic.writeOthers(index, place, state.parameters());
    }
  }
}
