package org.sparkformer.training;

import java.util.function.BooleanSupplier;

/**
 * Where a rank may be stopped: it passes points, and sleeps at the n-th of them until it is woken,
 * all its threads with it. As a process under SIGSTOP, it hears of no interrupt meanwhile.
 */
final class Sleeper implements Attempt.Points {
  private static final long MILLISECONDS = 10;

  private final int at;
  private int passed;
  private boolean asleep;

  /**
   * @param at number of the point, from 1; 0 for a rank that never sleeps
   */
  Sleeper(int at) {
    this.at = at;
  }

  @Override
  public synchronized void pass() {
    passed++;
    if (passed == at) {
      asleep = true;
      notifyAll();
    }
    boolean interrupted = false;
    while (asleep) {
      interrupted |= !waited();
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Waits until the rank sleeps, or has gone its way without coming to the point.
   *
   * @return whether it sleeps
   */
  synchronized boolean awaitSleep(BooleanSupplier over) throws InterruptedException {
    while (!asleep && !over.getAsBoolean()) {
      wait(MILLISECONDS);
    }
    return asleep;
  }

  synchronized void wake() {
    asleep = false;
    notifyAll();
  }

  /** Points so far. */
  synchronized int passed() {
    return passed;
  }

  private boolean waited() {
    try {
      wait();
      return true;
    } catch (InterruptedException heardLater) {
      return false;
    }
  }
}
