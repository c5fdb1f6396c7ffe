package org.sparkformer.spark;

import org.sparkformer.collective.LeafRange;
import org.sparkformer.collective.SummationTree;
import org.sparkformer.models.Gpt;
import org.sparkformer.models.GptConfiguration;
import org.sparkformer.training.configuration.RunConfiguration;
import org.sparkformer.training.configuration.TrainingConfiguration;

/**
 * The least memory in bytes that one rank's device needs; what the backend adds to it (workspace,
 * alignment) is left out, so that no run is refused that would fit.
 *
 * @param state weights and AdamW's two moments
 * @param gradients the sums that are alive at once while micro-batches are accumulated
 * @param activations what the forward pass keeps for the backward pass of one micro-batch
 */
record MemoryEstimate(long state, long gradients, long activations) {
  private static final long FLOAT = 4;

  /**
   * Floats kept a position and a block, in units of the width: residual stream, its first norm,
   * queries, keys and values, attention, second stream and norm, and twice the feed-forward layer.
   */
  private static final long WIDTHS_PER_BLOCK = 16;

  /** For the rank that owns the most micro-batches of {@code ranks}. */
  static MemoryEstimate of(RunConfiguration configuration, int ranks) {
    long parameters = Gpt.layout(configuration.model()).size();
    TrainingConfiguration training = configuration.training();
    SummationTree tree = new SummationTree(training.microBatches());
    long vectors = 1;
    for (int rank = 0; rank < ranks; rank++) {
      LeafRange leaves = tree.ownedBy(rank, ranks);
      vectors = Math.max(vectors, tree.buffersNeeded(leaves));
    }
    return new MemoryEstimate(
        3 * FLOAT * parameters,
        vectors * FLOAT * parameters,
        activations(configuration.model(), training.microBatchSize()));
  }

  private static long activations(GptConfiguration model, long sequences) {
    long widths =
        model.recomputeActivations()
            ? 2L * model.layers() + WIDTHS_PER_BLOCK
            : WIDTHS_PER_BLOCK * model.layers();
    return FLOAT * sequences * model.context() * model.width() * widths;
  }

  long total() {
    return state + gradients + activations;
  }

  /**
   * Refuses a run that cannot fit.
   *
   * @param available bytes of one rank's share of the device
   * @throws IllegalArgumentException saying what takes how much, and what to change
   */
  void requireFits(long available, String device) {
    if (total() > available) {
      throw new IllegalArgumentException(
          "too little memory: a rank needs at least %s (weights and optimizer %s, gradients %s, activations %s), but has %s of %s; "
                  .formatted(
                      size(total()),
                      size(state),
                      size(gradients),
                      size(activations),
                      size(available),
                      device)
              + "lower training.micro_batch_size or the model's size, set"
              + " model.recompute_activations, or use fewer ranks on one host");
    }
  }

  private static String size(long bytes) {
    return bytes < 1L << 30
        ? "%.1f MiB".formatted(bytes / (double) (1L << 20))
        : "%.1f GiB".formatted(bytes / (double) (1L << 30));
  }
}
