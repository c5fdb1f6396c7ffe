package org.sparkformer.training;

import java.util.List;
import java.util.function.IntConsumer;
import org.sparkformer.models.LanguageModel;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.AdamW;

/**
 * How the ranks share out weights, gradients and the optimizer's state, and what a step does about
 * it (Rajbhandari et al., arXiv:1910.02054). Whichever it is, the numbers are the same.
 */
interface Sharding extends WholeWeights, AutoCloseable {

  /**
   * Where a micro-batch's passes go.
   *
   * @param loss [1], receives the micro-batch's summed loss before the backward pass
   * @param reached told the marks that the backward pass comes to
   */
  record Pass(LanguageModel model, Tensor loss, IntConsumer reached) {}

  /** The micro-batches of a step that this rank computes, in order. */
  List<Integer> leaves();

  /** Begins the passes of the micro-batch with this place among {@link #leaves}. */
  Pass begin(int index);

  /**
   * Begins passes as {@link #begin} does, of gradients that stay on this rank: {@link
   * #gradientsDigest} gives them up.
   *
   * @throws UnsupportedOperationException under {@code training.zero_stage} 3
   */
  Pass rehearse();

  /** The backward pass is over. */
  void end();

  /**
   * SHA-256 of what this rank has added up, between the end of its last pass, or rehearsal, and the
   * sum over all ranks; in hexadecimal.
   *
   * @throws UnsupportedOperationException under {@code training.zero_stage} 3
   */
  String gradientsDigest();

  /**
   * Waits for the sums of all ranks' gradients.
   *
   * @param squaredNorm [1], receives theirs
   */
  void sum(Tensor squaredNorm);

  /** Queues AdamW on this rank's slices, and that the ranks exchange what came of it. */
  void update(Tensor squaredNorm, AdamW.Settings settings);

  /**
   * Waits for what is still to come of other ranks' updates: after a forward pass, and before the
   * ranks exchange anything else.
   */
  void collect();

  /** Ends the step without an update: the sums are left as they are, and so are the weights. */
  void leave();

  /** The step's loss over all ranks, once the sums are there. */
  double loss();

  /** The model for forward passes alone, of which every rank has to run as many. */
  LanguageModel forwardOnly();

  @Override
  void close();
}
