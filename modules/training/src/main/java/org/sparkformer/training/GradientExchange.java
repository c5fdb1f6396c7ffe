package org.sparkformer.training;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import org.sparkformer.collective.Collective;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;

/**
 * Sums the ranks' gradient buffers through host memory, a bucket at a time; the order of additions
 * is the collective's tree, whatever the buckets. With one rank nothing leaves the device.
 */
final class GradientExchange {
  /** Floats in a bucket, 16 MiB: also keeps every transfer below 2 GiB. */
  static final int BUCKET = 1 << 22;

  private final Backend backend;
  private final Collective collective;
  private final List<ByteBuffer> staging = new ArrayList<>();

  GradientExchange(Backend backend, Collective collective, long length) {
    this.backend = backend;
    this.collective = collective;
    if (collective.size() > 1) {
      int bytes = Float.BYTES * (int) Math.min(BUCKET, length);
      int partials = collective.tree().partialsOf(collective.rank(), collective.size()).size();
      for (int i = 0; i < partials; i++) {
        staging.add(ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder()));
      }
    }
  }

  /** Sums vectors over all leaves and ranks into the first of them. */
  void sum(List<Tensor> partials) {
    if (collective.size() == 1) {
      return;
    }
    long length = partials.get(0).size();
    for (long first = 0; first < length; first += BUCKET) {
      sumBucket(partials, first, (int) Math.min(BUCKET, length - first));
    }
  }

  private void sumBucket(List<Tensor> partials, long first, int count) {
    List<FloatBuffer> values = new ArrayList<>(partials.size());
    for (int i = 0; i < partials.size(); i++) {
      ByteBuffer bytes = staging.get(i).clear().limit(count * Float.BYTES);
      backend.read(partials.get(i).view(first, count), bytes);
      values.add(staging.get(i).clear().limit(count * Float.BYTES).asFloatBuffer());
    }
    collective.allReduce(values, values.get(0));
    backend.write(
        partials.get(0).view(first, count), staging.get(0).clear().limit(count * Float.BYTES));
  }
}
