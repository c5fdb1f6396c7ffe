package org.sparkformer.training;

import java.util.List;
import org.sparkformer.models.Initialization;
import org.sparkformer.models.ParameterLayout;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Fill;

/**
 * What training changes, on the device: all parameters, and AdamW's two moments of those that this
 * rank updates (Rajbhandari et al., arXiv:1910.02054, optimizer state partitioning).
 *
 * @param parameters laid out by {@code layout}
 * @param slices the parameters that this rank updates
 * @param firstMoment m of the slices, one after the other
 * @param secondMoment v likewise
 */
record ModelState(
    ParameterLayout layout,
    Tensor parameters,
    List<Slice> slices,
    Tensor firstMoment,
    Tensor secondMoment)
    implements AutoCloseable {

  /** Memory for a rank's part of a model; its contents are undefined. */
  static ModelState allocate(Backend backend, Buckets buckets, int rank) {
    long owned = buckets.owned(rank);
    return new ModelState(
        buckets.layout(),
        backend.floats(buckets.layout().size()),
        buckets.slices(rank),
        backend.floats(owned),
        backend.floats(owned));
  }

  /** Sets the state before the first step. */
  void initialize(Backend backend, long seed) {
    Initialization.run(backend, layout, parameters, seed);
    backend.run(new Fill(firstMoment, 0f));
    backend.run(new Fill(secondMoment, 0f));
  }

  @Override
  public void close() {
    parameters.close();
    firstMoment.close();
    secondMoment.close();
  }
}
