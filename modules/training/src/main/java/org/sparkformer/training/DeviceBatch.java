package org.sparkformer.training;

import org.sparkformer.models.Batch;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;

/** A micro-batch's place on the device: tokens and targets int32 [B, T], losses [B T]. */
final class DeviceBatch implements AutoCloseable {
  private final Backend backend;
  private final Tensor tokens;
  private final Tensor targets;
  private final Tensor losses;
  private int sequences;

  DeviceBatch(Backend backend, int capacity, int context) {
    this.backend = backend;
    this.tokens = backend.ints(capacity, context);
    this.targets = backend.ints(capacity, context);
    this.losses = backend.floats((long) capacity * context);
  }

  /** Copies a micro-batch here; the caller may fill it anew at once. */
  void upload(MicroBatch batch) {
    sequences = batch.sequences();
    backend.write(batch().tokens(), batch.tokens());
    backend.write(batch().targets(), batch.targets());
  }

  /** What was uploaded; borrowed. */
  Batch batch() {
    return new Batch(tokens.rows(0, sequences), targets.rows(0, sequences));
  }

  Tensor losses() {
    return losses.view(0, (long) sequences * tokens.columns());
  }

  @Override
  public void close() {
    tokens.close();
    targets.close();
    losses.close();
  }
}
