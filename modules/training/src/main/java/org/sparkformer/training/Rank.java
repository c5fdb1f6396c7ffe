package org.sparkformer.training;

import org.sparkformer.collective.Collective;
import org.sparkformer.models.ParameterLayout;
import org.sparkformer.tensor.Backend;

/**
 * Where one rank computes, and how it talks to the others; both belong to whoever made them.
 *
 * @param backend used by the training thread only
 * @param collective its tree has one leaf a micro-batch: {@code batch_size / micro_batch_size}
 * @param bucketSizes of what is exchanged at once
 */
record Rank(Backend backend, Collective collective, Buckets.Sizes bucketSizes) {
  boolean isFirst() {
    return collective.rank() == 0;
  }

  boolean isAlone() {
    return collective.size() == 1;
  }

  /** How the ranks divide a model whose weights each of them has. */
  Buckets buckets(ParameterLayout layout) {
    return Buckets.of(layout, collective.size(), bucketSizes);
  }

  /** How the ranks divide a model of whose weights each has its share. */
  Units units(ParameterLayout layout) {
    return Units.of(layout, collective.size(), bucketSizes);
  }
}
