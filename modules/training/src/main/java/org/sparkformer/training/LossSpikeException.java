package org.sparkformer.training;

import org.sparkformer.training.configuration.TrainingConfiguration;

/**
 * The loss stood out for so many steps in a row that the weights are at fault, and no batch. Leaves
 * training only where going back to an earlier checkpoint cannot help.
 */
public final class LossSpikeException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int first;
  private final int last;

  /**
   * @param first of the steps that were skipped in a row, counted from 1
   * @param last the latest of them
   */
  LossSpikeException(int first, int last) {
    super(
        ("the loss of the steps %d to %d was a spike each: lower training.learning_rate or raise"
                + " training.spike_sigma, and start over or from an earlier checkpoint")
            .formatted(first, last));
    this.first = first;
    this.last = last;
  }

  /**
   * Whether this is the first time here. Otherwise the steps before were skipped as well, because
   * of spikes where they ended, and the loss has not come down.
   */
  boolean mayGoBack() {
    return last - first + 1 == TrainingConfiguration.SPIKES_IN_A_ROW;
  }

  int first() {
    return first;
  }

  int last() {
    return last;
  }
}
