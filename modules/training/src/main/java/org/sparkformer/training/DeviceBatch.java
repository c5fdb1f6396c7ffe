package org.sparkformer.training;

import org.sparkformer.data.Samples;
import org.sparkformer.models.Batch;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;

/**
 * A micro-batch's place on the device: tokens int32 [B, T], targets and losses [B, P]. Rows of the
 * targets are kept where they are not all.
 */
final class DeviceBatch implements AutoCloseable {
  private final Backend backend;
  private final Tensor tokens;
  private final Tensor rows;
  private final Tensor targets;
  private final Tensor losses;
  private final Tensor hits;
  private int sequences;

  /**
   * @param scores whether hits are asked for, beside losses
   */
  DeviceBatch(Backend backend, int capacity, Samples samples, boolean scores) {
    boolean all = samples.targets() == samples.context();
    this.backend = backend;
    this.tokens = backend.ints(capacity, samples.context());
    this.rows = all ? null : backend.ints(capacity, samples.targets());
    this.targets = backend.ints(capacity, samples.targets());
    this.losses = backend.floats(capacity, samples.targets());
    this.hits = scores ? backend.floats(capacity, samples.targets()) : null;
  }

  /** Copies a micro-batch here; the caller may fill it anew at once. */
  void upload(MicroBatch batch) {
    sequences = batch.sequences();
    backend.write(first(tokens), batch.tokens());
    backend.write(first(targets), batch.targets());
    if (rows != null) {
      backend.write(first(rows), batch.rows());
    }
  }

  /** What was uploaded; borrowed. */
  Batch batch() {
    return new Batch(
        first(tokens),
        rows == null ? null : first(rows),
        first(targets),
        losses(),
        hits == null ? null : flat(hits));
  }

  /** [B P]; borrowed. */
  Tensor losses() {
    return flat(losses);
  }

  private Tensor first(Tensor tensor) {
    return tensor.rows(0, sequences);
  }

  private Tensor flat(Tensor tensor) {
    return tensor.view(0, (long) sequences * tensor.columns());
  }

  @Override
  public void close() {
    tokens.close();
    targets.close();
    losses.close();
    if (rows != null) {
      rows.close();
    }
    if (hits != null) {
      hits.close();
    }
  }
}
