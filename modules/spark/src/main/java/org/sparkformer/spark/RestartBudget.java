package org.sparkformer.spark;

/**
 * How often a run may be started again without getting anywhere: each committed checkpoint fills
 * the budget up. Safe for use by several threads.
 */
final class RestartBudget {
  private final int largest;
  private int left;

  RestartBudget(int largest) {
    if (largest < 0) {
      throw new IllegalArgumentException("restarts must be at least 0, but are " + largest);
    }
    this.largest = largest;
    this.left = largest;
  }

  /** A checkpoint was committed. */
  synchronized void refill() {
    left = largest;
  }

  /** Takes one restart; false when none is left. */
  synchronized boolean spend() {
    if (left == 0) {
      return false;
    }
    left--;
    return true;
  }

  /** Restarts left. */
  synchronized int left() {
    return left;
  }
}
