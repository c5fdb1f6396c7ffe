package org.sparkformer.models;

import org.sparkformer.tensor.ops.Dropout;

/**
 * The dropouts of one forward pass over one micro-batch.
 *
 * @param probability of dropping an element
 * @param seed the run's seed
 * @param step the optimizer step
 * @param firstSample number of the micro-batch's first sequence in the global batch, so that the
 *     choice does not depend on how the batch is divided
 */
public record DropoutSites(float probability, long seed, int step, long firstSample) {

  /** Drops nothing: evaluation and generation. */
  public static final DropoutSites NONE = new DropoutSites(0f, 0, 0, 0);

  /** The dropout of one site, for tensors of so many elements a sequence. */
  public Dropout at(int site, long elementsPerSequence) {
    return new Dropout(probability, seed, step, site, firstSample * elementsPerSequence);
  }
}
