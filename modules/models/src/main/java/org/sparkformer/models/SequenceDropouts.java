package org.sparkformer.models;

import org.sparkformer.tensor.ops.Dropout;

/**
 * Where a transformer drops elements, each place with a number of its own: the embeddings, and in a
 * block the attention's weights and the two branches.
 *
 * @param length tokens of a sequence, T
 */
record SequenceDropouts(DropoutSites sites, ModelConfiguration model, int length) {

  Dropout embedding() {
    return sites.at(0, rows());
  }

  /** Of the weights [heads, T, T] that attention gives to the positions. */
  Dropout attention(int layer) {
    return sites.at(1 + 3 * layer, (long) model.heads() * length * length);
  }

  Dropout attentionBranch(int layer) {
    return sites.at(2 + 3 * layer, rows());
  }

  Dropout feedForwardBranch(int layer) {
    return sites.at(3 + 3 * layer, rows());
  }

  private long rows() {
    return (long) length * model.width();
  }
}
