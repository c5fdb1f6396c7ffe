package org.sparkformer.training;

import org.sparkformer.collective.Collective;
import org.sparkformer.models.ModelConfiguration;
import org.sparkformer.models.ParameterLayout;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.autograd.Functions;
import org.sparkformer.training.configuration.RunConfiguration;

/**
 * Memory of a rank's training in bytes, before any of it is taken. Counts tensors; what kernels
 * need besides and what the pool rounds up come on top.
 *
 * @param weights what the rank keeps of the parameters, in bf16 too where products read them so,
 *     and what it gathers of them, and AdamW's two moments of those that it updates
 * @param gradients vectors of the summation tree, and what a pass adds to besides
 * @param activations kept from forward to backward, and the gradients passing through one block
 * @param logits of the rows whose loss is computed at once
 * @param snapshot weights and moments on their way into a checkpoint, in the host's memory
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
   * @param parameters of weights or gradients, with their tail
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

  /** Width of the feed-forward layer over the model's. */
  private static final int FEED_FORWARD = 4;

  /**
   * Elements of a rank's share of a model.
   *
   * @param rounded of weights that are kept for products too, where these round their operands
   */
  private record Share(
      long weights, long rounded, long gradients, long largest, long snapshot, long exchangeBytes) {

    /** Where every rank has all weights and gradients. */
    static Share ofOptimizer(RunConfiguration configuration, Rank rank) {
      Collective collective = rank.collective();
      ParameterLayout layout = configuration.model().layout();
      Buckets buckets = rank.buckets(layout);
      return ofOptimizer(
          layout.size(),
          buckets.owned(collective.rank()),
          collective.tree().buffersNeeded(collective.ownedLeaves()),
          rank.isAlone() ? 0 : OptimizerSharding.hostBytes(rank, buckets),
          rank.isFirst());
    }

    static Share ofOptimizer(
        long parameters, long owned, int gradientVectors, long exchange, boolean first) {
      long vector = GradientBuffer.length(parameters);
      return new Share(
          parameters + 2 * owned,
          parameters,
          gradientVectors * vector,
          vector,
          snapshot(parameters, owned, first),
          exchange);
    }

    /** Where every rank has its slices. */
    static Share ofAll(RunConfiguration configuration, Rank rank) {
      ParameterLayout layout = configuration.model().layout();
      Units units = rank.units(layout);
      long owned = units.buckets().owned(rank.collective().rank());
      long buffers = UnitBuffers.elements(units);
      return new Share(
          3 * owned + buffers,
          0,
          Rounds.of(rank.collective()).vectors() * owned + buffers,
          Math.max(owned, Math.max(units.sharedLength(), units.largestBlock())),
          snapshot(layout.size(), owned, rank.isFirst()),
          FullSharding.hostBytes(rank, units));
    }

    /** Rank 0 writes the weights, and every rank its moments. */
    private static long snapshot(long parameters, long owned, boolean first) {
      return (first ? parameters : 0) + 2 * owned;
    }
  }

  /**
   * Where there is one rank, on a processor.
   *
   * @param gradientBuffers gradient vectors that accumulation keeps at once, at least 1
   */
  public static MemoryEstimate of(RunConfiguration configuration, int gradientBuffers) {
    long parameters = configuration.model().layout().size();
    return of(
        configuration,
        Share.ofOptimizer(parameters, parameters, gradientBuffers, 0, true),
        false,
        DType.FLOAT32,
        Long.MAX_VALUE);
  }

  static MemoryEstimate of(RunConfiguration configuration, Rank rank) {
    boolean shares = configuration.training().sharesWeights(rank.collective().size());
    return of(
        configuration,
        shares ? Share.ofAll(configuration, rank) : Share.ofOptimizer(configuration, rank),
        rank.backend().isAccelerator(),
        rank.backend().gradients(configuration.training().precision().operands()),
        rank.backend().largestTensorBytes());
  }

  private static MemoryEstimate of(
      RunConfiguration configuration,
      Share share,
      boolean accelerator,
      DType logits,
      long largestTensor) {
    ModelConfiguration model = configuration.model();
    DType operands = configuration.training().precision().operands();
    long rounded = operands == DType.FLOAT32 ? 0 : share.rounded() * operands.bytes();
    long rows = (long) configuration.training().microBatchSize() * model.context();
    int predicted = configuration.training().microBatchSize() * configuration.targets();
    long chunk = Functions.logitRows(predicted, model.vocabularySize(), accelerator, largestTensor);
    return new MemoryEstimate(
        share.weights() * Float.BYTES + rounded,
        share.gradients() * Float.BYTES,
        rows * model.activationBytesOfToken(operands),
        chunk * Functions.logitBytes(model.vocabularySize(), logits),
        share.snapshot() * Float.BYTES,
        share.exchangeBytes(),
        new Largest(
            share.largest() * Float.BYTES, rows * FEED_FORWARD * model.width() * Float.BYTES));
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
    boolean recomputes = configuration.model().recomputeActivations();
    int microBatch = configuration.training().microBatchSize();
    long beside = device.inHost() ? snapshot + exchange : 0;
    if (weights + gradients + beside <= device.bytes() && microBatch > 1) {
      return "lower training.micro_batch_size (now %d)".formatted(microBatch)
          + (recomputes ? "" : ", or set model.recompute_activations to true");
    }
    return (recomputes ? "" : "set model.recompute_activations to true, ")
        + (configuration.training().zeroStage() == 3
            ? "use more ranks, a smaller model"
            : "set training.zero_stage to 3 where several ranks train, use a smaller model")
        + ", a shorter model.context or a device with more memory";
  }

  private static String mebibytes(long bytes) {
    return "%,d MiB".formatted((bytes + (1 << 20) - 1) >> 20);
  }
}
