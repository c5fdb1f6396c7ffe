package org.sparkformer.training;

import java.nio.ByteBuffer;
import java.util.List;
import org.sparkformer.models.Initialization;
import org.sparkformer.models.ParameterLayout;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.AdamW;
import org.sparkformer.tensor.ops.Fill;

/**
 * What training changes, on the device: the parameters, and AdamW's two moments of those that this
 * rank updates (Rajbhandari et al., arXiv:1910.02054, optimizer state partitioning).
 *
 * @param whole whether this rank holds all parameters, or its slices alone (parameter partitioning)
 * @param parameters laid out by {@code layout}, or those of the slices, one after the other
 * @param slices the parameters that this rank updates
 * @param firstMoment m of the slices, one after the other
 * @param secondMoment v likewise
 */
record ModelState(
    ParameterLayout layout,
    boolean whole,
    Tensor parameters,
    List<Slice> slices,
    Tensor firstMoment,
    Tensor secondMoment)
    implements AutoCloseable {

  /** Memory for a rank's part of a model; its contents are undefined. */
  static ModelState allocate(Backend backend, Buckets buckets, int rank, boolean whole) {
    long owned = buckets.owned(rank);
    return new ModelState(
        buckets.layout(),
        whole,
        backend.floats(whole ? buckets.layout().size() : owned),
        buckets.slices(rank),
        backend.floats(owned),
        backend.floats(owned));
  }

  /** Sets the state before the first step. */
  void initialize(Backend backend, long seed) {
    clear(backend);
    Initialization.run(layout, seed, (first, floats) -> write(backend, first, floats));
  }

  /** Zeros, which is what the gaps between the parameters hold for good. */
  void clear(Backend backend) {
    backend.run(new Fill(parameters, 0f));
    backend.run(new Fill(firstMoment, 0f));
    backend.run(new Fill(secondMoment, 0f));
  }

  /** Takes what this rank holds of a stretch of the flat parameter vector. */
  void write(Backend backend, long first, ByteBuffer floats) {
    long end = first + floats.remaining() / Float.BYTES;
    if (whole) {
      backend.write(parameters.view(first, end - first), floats);
      return;
    }
    for (Slice slice : slices) {
      long from = Math.max(first, slice.from());
      long to = Math.min(end, slice.from() + slice.parameters());
      if (from < to) {
        int start = floats.position() + (int) (from - first) * Float.BYTES;
        backend.write(
            parameters.view(slice.packed() + from - slice.from(), to - from),
            floats.slice(start, (int) (to - from) * Float.BYTES).order(floats.order()));
      }
    }
  }

  /** A slice's parameters; borrowed. */
  Tensor parameters(Slice slice) {
    return whole ? slice.of(parameters) : slice.ofOwn(parameters);
  }

  /**
   * Queues AdamW on a slice.
   *
   * @param gradients of the slice's parameters, summed over all ranks
   * @param squaredNorm of all gradients, [1]
   */
  void update(
      Backend backend, Slice slice, Tensor gradients, Tensor squaredNorm, AdamW.Settings settings) {
    backend.run(
        new AdamW(
            parameters(slice),
            gradients,
            slice.ofOwn(firstMoment),
            slice.ofOwn(secondMoment),
            squaredNorm,
            settings.from(slice.from())));
  }

  @Override
  public void close() {
    parameters.close();
    firstMoment.close();
    secondMoment.close();
  }
}
