package org.sparkformer.training;

import org.sparkformer.models.Gpt;
import org.sparkformer.models.GptConfiguration;
import org.sparkformer.tensor.Backend;
import org.sparkformer.training.configuration.RunConfiguration;

/**
 * Device memory of a rank's training in bytes, before any of it is taken. Counts tensors; what
 * kernels need besides and what the pool rounds up come on top.
 *
 * @param weights parameters and AdamW's two moments
 * @param gradients flat gradient buffers of the summation tree
 * @param activations kept from forward to backward, and the gradients passing through one block
 * @param logits of the rows whose loss is computed at once
 */
public record MemoryEstimate(long weights, long gradients, long activations, long logits) {
  /** Most logits that the loss holds at once, as in the fused cross-entropy. */
  private static final long LOGITS_AT_ONCE = 1L << 25;

  /** Rows of width C that a block keeps: 2 + 3 + 1 + 1 for attention, 2 + 4 + 4 + 1 to the end. */
  private static final int KEPT_IN_BLOCK = 18;

  /** Dropped copies of the two branches. */
  private static final int KEPT_BY_DROPOUT = 2;

  /** The stream, its branch's gradient, and the feed-forward layer's three gradients. */
  private static final int PASSING_BACKWARD = 11;

  /**
   * @param gradientBuffers gradient vectors that accumulation keeps at once, at least 1
   */
  public static MemoryEstimate of(RunConfiguration configuration, int gradientBuffers) {
    GptConfiguration model = configuration.model();
    long parameters = Gpt.layout(model).size();
    long rows = (long) configuration.training().microBatchSize() * model.context();
    long chunk = Math.min(rows, Math.max(1, LOGITS_AT_ONCE / model.vocabularySize()));
    return new MemoryEstimate(
        3 * parameters * Float.BYTES,
        gradientBuffers * GradientBuffer.length(parameters) * Float.BYTES,
        rows * activationsOfRow(model) * Float.BYTES,
        chunk * model.vocabularySize() * Float.BYTES);
  }

  private static long activationsOfRow(GptConfiguration model) {
    boolean drops = model.dropout() > 0;
    int block = KEPT_IN_BLOCK + (drops ? KEPT_BY_DROPOUT : 0);
    long blocks =
        model.recomputeActivations() ? 2L * model.layers() + block : (long) block * model.layers();
    return model.width() * (blocks + (drops ? 2 : 1) + PASSING_BACKWARD);
  }

  /** All of it. */
  public long total() {
    return weights + gradients + activations + logits;
  }

  /**
   * @throws IllegalArgumentException if the device has less memory, saying what to change
   */
  public void requireFits(RunConfiguration configuration, Backend backend) {
    if (total() > backend.capacityBytes()) {
      throw new IllegalArgumentException(
          "training needs at least %s of device memory (weights and optimizer %s, gradients %s, activations %s, logits %s) but %s has %s: %s"
              .formatted(
                  mebibytes(total()),
                  mebibytes(weights),
                  mebibytes(gradients),
                  mebibytes(activations),
                  mebibytes(logits),
                  backend.description(),
                  mebibytes(backend.capacityBytes()),
                  advice(configuration, backend)));
    }
  }

  private String advice(RunConfiguration configuration, Backend backend) {
    int microBatch = configuration.training().microBatchSize();
    if (weights + gradients > backend.capacityBytes() || microBatch == 1) {
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
