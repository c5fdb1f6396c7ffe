package org.sparkformer.training;

import org.sparkformer.collective.Collective;
import org.sparkformer.models.ModelConfiguration;
import org.sparkformer.tensor.Backend;
import org.sparkformer.training.configuration.RunConfiguration;

/**
 * Memory of a rank's training in bytes, before any of it is taken. Counts tensors; what kernels
 * need besides and what the pool rounds up come on top.
 *
 * @param weights parameters, and AdamW's two moments of those that the rank updates
 * @param gradients flat gradient buffers of the summation tree
 * @param activations kept from forward to backward, and the gradients passing through one block
 * @param logits of the rows whose loss is computed at once
 * @param snapshot weights and moments on their way into a checkpoint, in the memory of rank 0's
 *     host
 * @param exchange buckets on their way between ranks, in the host's memory
 * @param largest tensors of each kind
 */
public record MemoryEstimate(
    long weights,
    long gradients,
    long activations,
    long logits,
    long snapshot,
    long exchange,
    Largest largest) {

  /**
   * The largest single tensors in bytes, each in a buffer of its own.
   *
   * @param parameters a gradient vector, the parameters with a tail
   * @param activation a micro-batch's rows inside the feed-forward layer, 4 C wide
   */
  public record Largest(long parameters, long activation) {}

  /**
   * What a rank's device has.
   *
   * @param description for messages
   * @param bytes most that can be taken
   * @param largestTensor most bytes of one tensor
   * @param inHost whether it is the host's own memory
   */
  public record DeviceMemory(String description, long bytes, long largestTensor, boolean inHost) {
    static DeviceMemory of(Backend backend) {
      return new DeviceMemory(
          backend.description(),
          backend.capacityBytes(),
          backend.largestTensorBytes(),
          backend.inHostMemory());
    }
  }

  /** Most logits that the loss holds at once, as in the fused cross-entropy. */
  private static final long LOGITS_AT_ONCE = 1L << 25;

  /** Width of the feed-forward layer over the model's. */
  private static final int FEED_FORWARD = 4;

  /**
   * Where there is one rank.
   *
   * @param gradientBuffers gradient vectors that accumulation keeps at once, at least 1
   */
  public static MemoryEstimate of(RunConfiguration configuration, int gradientBuffers) {
    return of(configuration, gradientBuffers, configuration.model().layout().size(), 0);
  }

  /** Of one of several ranks. */
  static MemoryEstimate of(RunConfiguration configuration, Rank rank, Buckets buckets) {
    Collective collective = rank.collective();
    return of(
        configuration,
        collective.tree().buffersNeeded(collective.ownedLeaves()),
        buckets.owned(collective.rank()),
        rank.isAlone() ? 0 : BucketTraffic.hostBytes(rank, buckets));
  }

  private static MemoryEstimate of(
      RunConfiguration configuration, int gradientBuffers, long owned, long exchange) {
    ModelConfiguration model = configuration.model();
    long parameters = model.layout().size();
    long rows = (long) configuration.training().microBatchSize() * model.context();
    long chunk = Math.min(rows, Math.max(1, LOGITS_AT_ONCE / model.vocabularySize()));
    return new MemoryEstimate(
        (parameters + 2 * owned) * Float.BYTES,
        gradientBuffers * GradientBuffer.length(parameters) * Float.BYTES,
        rows * model.activationsOfToken() * Float.BYTES,
        chunk * model.vocabularySize() * Float.BYTES,
        (parameters + 2 * owned) * Float.BYTES,
        exchange,
        new Largest(
            GradientBuffer.length(parameters) * Float.BYTES,
            rows * FEED_FORWARD * model.width() * Float.BYTES));
  }

  /** All of it on the device. */
  public long total() {
    return weights + gradients + activations + logits;
  }

  /**
   * Compares the estimate with what the device has: for its tensors, where it is the host's own
   * memory for a checkpoint beside them, and for the largest tensor.
   *
   * @throws IllegalArgumentException if the device has less memory, saying what to change
   */
  public void requireFits(RunConfiguration configuration, DeviceMemory device) {
    requireAllFits(configuration, device);
    requireLargestFits(configuration, device);
  }

  private void requireLargestFits(RunConfiguration configuration, DeviceMemory device) {
    long most = device.largestTensor();
    if (largest.parameters() > most) {
      throw new IllegalArgumentException(
          "one buffer of %s holds at most %s, but the parameters take %s: use a smaller model (fewer model.layers, a smaller model.width or model.vocab_size) or another device"
              .formatted(device.description(), mebibytes(most), mebibytes(largest.parameters())));
    }
    if (largest.activation() > most) {
      throw new IllegalArgumentException(
          "one buffer of %s holds at most %s, but a micro-batch takes %s inside the feed-forward layer: lower training.micro_batch_size (now %d) or model.context (now %d)"
              .formatted(
                  device.description(),
                  mebibytes(most),
                  mebibytes(largest.activation()),
                  configuration.training().microBatchSize(),
                  configuration.model().context()));
    }
  }

  private void requireAllFits(RunConfiguration configuration, DeviceMemory device) {
    long beside = device.inHost() ? snapshot + exchange : 0;
    if (total() + beside > device.bytes()) {
      throw new IllegalArgumentException(
          "training needs at least %s of device memory (weights and optimizer %s, gradients %s, activations %s, logits %s%s) but %s has %s: %s"
              .formatted(
                  mebibytes(total() + beside),
                  mebibytes(weights),
                  mebibytes(gradients),
                  mebibytes(activations),
                  mebibytes(logits),
                  beside(device),
                  device.description(),
                  mebibytes(device.bytes()),
                  advice(configuration, device)));
    }
  }

  private String beside(DeviceMemory device) {
    if (!device.inHost()) {
      return "";
    }
    String checkpoint = ", a checkpoint being written " + mebibytes(snapshot);
    return exchange == 0
        ? checkpoint
        : checkpoint + ", buckets between ranks " + mebibytes(exchange);
  }

  private String advice(RunConfiguration configuration, DeviceMemory device) {
    int microBatch = configuration.training().microBatchSize();
    long beside = device.inHost() ? snapshot + exchange : 0;
    if (weights + gradients + beside > device.bytes() || microBatch == 1) {
      return configuration.model().recomputeActivations()
          ? "use a smaller model, a shorter model.context or a device with more memory"
          : "set model.recompute_activations to true, or use a smaller model or a larger device";
    }
    return configuration.model().recomputeActivations()
        ? "lower training.micro_batch_size (now %d)".formatted(microBatch)
        : "lower training.micro_batch_size (now %d), or set model.recompute_activations to true"
            .formatted(microBatch);
  }

  private static String mebibytes(long bytes) {
    return "%,d MiB".formatted((bytes + (1 << 20) - 1) >> 20);
  }
}
