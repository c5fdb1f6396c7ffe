package org.sparkformer.training;

import org.sparkformer.models.ParameterSink;

/** All weights of a model, wherever the ranks keep them. Not to be asked for during a step. */
interface WholeWeights {
  /**
   * Hands all weights to the host, in the order of the flat vector. Meanwhile every other rank has
   * to call this too, or {@link #help}.
   */
  void read(ParameterSink sink);

  /** Gives other ranks what they lack for {@link #read}. */
  void help();
}
