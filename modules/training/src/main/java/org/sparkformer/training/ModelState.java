package org.sparkformer.training;

import java.nio.ByteBuffer;
import java.util.List;
import org.sparkformer.models.Initialization;
import org.sparkformer.models.ParameterLayout;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Shape;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.AdamW;
import org.sparkformer.tensor.ops.Copy;
import org.sparkformer.tensor.ops.Fill;

/**
 * What training changes, on the device: the parameters, and AdamW's two moments of those that this
 * rank updates (Rajbhandari et al., arXiv:1910.02054, optimizer state partitioning).
 *
 * @param whole whether this rank holds all parameters, or its slices alone (parameter partitioning)
 * @param parameters laid out by {@code layout}, or those of the slices, one after the other
 * @param slices the parameters that this rank updates
 * @param rounded null, or {@code parameters} in bf16, for products to read: whatever writes those
 *     writes these
 * @param firstMoment m of the slices, one after the other
 * @param secondMoment v likewise
 */
record ModelState(
    ParameterLayout layout,
    boolean whole,
    Tensor parameters,
    Tensor rounded,
    List<Slice> slices,
    Tensor firstMoment,
    Tensor secondMoment)
    implements AutoCloseable {

  /**
   * Memory for a rank's part of a model; its contents are undefined.
   *
   * @param operands what products take their operands as
   */
  static ModelState allocate(
      Backend backend, Buckets buckets, int rank, boolean whole, DType operands) {
    long owned = buckets.owned(rank);
    Shape held = Shape.of(whole ? buckets.layout().size() : owned);
    return new ModelState(
        buckets.layout(),
        whole,
        backend.allocate(DType.FLOAT32, held),
        whole && operands != DType.FLOAT32 ? backend.allocate(operands, held) : null,
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
    round(backend, 0, parameters.size());
    backend.run(new Fill(firstMoment, 0f));
    backend.run(new Fill(secondMoment, 0f));
  }

  /** Takes what this rank holds of a stretch of the flat parameter vector. */
  void write(Backend backend, long first, ByteBuffer floats) {
    long end = first + floats.remaining() / Float.BYTES;
    if (whole) {
      backend.write(parameters.view(first, end - first), floats);
      round(backend, first, end);
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

  /** Queues the rounding of a stretch of {@code parameters} that something else has written. */
  void round(Backend backend, long first, long end) {
    long count = Math.min(end, parameters.size()) - first;
    if (rounded != null && count > 0) {
      backend.run(new Copy(parameters.view(first, count), rounded.view(first, count)));
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
            rounded == null ? null : slice.of(rounded),
            squaredNorm,
            settings.from(slice.from())));
  }

  @Override
  public void close() {
    parameters.close();
    if (rounded != null) {
      rounded.close();
    }
    firstMoment.close();
    secondMoment.close();
  }
}
