package org.sparkformer.training;

import org.sparkformer.collective.ShardRange;
import org.sparkformer.tensor.Tensor;

/**
 * The part of a bucket that one rank sums, and whose parameters it updates.
 *
 * @param from first element in the flat vector, a multiple of the norm's block
 * @param length elements, the tail behind the parameters included
 * @param parameters how many of them, from the first on, belong to parameters
 * @param packed where its parameters begin in the rank's own, gapless vectors
 */
record Slice(long from, long length, long parameters, long packed) {
  /** Elements of a block: slices begin at whole blocks, so the norm's blocks have one owner. */
  static final int BLOCK = ShardRange.BLOCK;

  /** Its parameters in a vector that is laid out as the parameters are; borrowed. */
  Tensor of(Tensor flat) {
    return flat.view(from, parameters);
  }

  /** Its parameters in a vector that holds this rank's alone; borrowed. */
  Tensor ofOwn(Tensor own) {
    return own.view(packed, parameters);
  }

  boolean holdsParameters() {
    return parameters > 0;
  }

  /** Whether the summed loss, which follows the parameters, is in it. */
  boolean holdsLoss() {
    return length > parameters;
  }
}
