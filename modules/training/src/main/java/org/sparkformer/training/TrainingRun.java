package org.sparkformer.training;

import static java.util.Objects.requireNonNull;

import org.sparkformer.data.CausalSamples;
import org.sparkformer.data.MaskedSamples;
import org.sparkformer.data.Samples;
import org.sparkformer.data.Split;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.training.configuration.RunConfiguration;

/**
 * A run as every rank sees it.
 *
 * @param configuration resolved: with the vocabulary's size
 * @param dataset what it learns from; not closed by the run
 * @param folder where results go, on a file system that all ranks reach
 * @param resume go on from the newest checkpoint in {@code folder}, where it holds one; else a
 *     folder with checkpoints is refused
 */
public record TrainingRun(
    RunConfiguration configuration, TokenDataset dataset, RunFolder folder, boolean resume) {

  /**
   * @throws IllegalArgumentException if the dataset's vocabulary is larger than the model's, or a
   *     split is too short for one window
   */
  public TrainingRun {
    requireNonNull(configuration, "configuration");
    requireNonNull(dataset, "dataset");
    requireNonNull(folder, "folder");
    dataset.tokenizer().requireFits(configuration.model().vocabularySize());
    samples(configuration, dataset, Split.TRAIN);
    if (dataset.tokens(Split.VALIDATION) > 0) {
      samples(configuration, dataset, Split.VALIDATION);
    }
  }

  /** The samples of a split in this run's order. */
  Samples samples(Split split) {
    return samples(configuration, dataset, split);
  }

  /** Whether there is anything to evaluate on. */
  boolean hasValidation() {
    return dataset.tokens(Split.VALIDATION) > 0;
  }

  private static Samples samples(
      RunConfiguration configuration, TokenDataset dataset, Split split) {
    int context = configuration.model().context();
    long seed = configuration.training().seed();
    return switch (configuration.model().objective()) {
      case NEXT_TOKEN -> new CausalSamples(dataset, split, context, seed);
      case MASKED_TOKENS ->
          new MaskedSamples(dataset, split, context, configuration.targets(), seed);
    };
  }
}
