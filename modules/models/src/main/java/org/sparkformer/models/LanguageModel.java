package org.sparkformer.models;

import org.sparkformer.tensor.autograd.Tape;

/** A model bound to its parameters, as training and evaluation see it. */
public interface LanguageModel {

  /** Below the mark of every block: see {@link ParameterLayout.Parameter#finishingMark}. */
  int END_OF_PASS = -1;

  /**
   * Loss of a micro-batch, and on a recording tape the way back to the gradients, with a mark
   * before each block that has the block's number, and one behind the last with the number of
   * blocks.
   *
   * @param scale one over the number of targets in the global batch
   */
  void loss(Tape tape, Batch batch, float scale, DropoutSites dropouts);
}
