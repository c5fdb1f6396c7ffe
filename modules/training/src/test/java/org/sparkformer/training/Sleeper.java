package org.sparkformer.training;

import java.util.function.BooleanSupplier;
import java.util.function.IntPredicate;

/**
 * Where a rank may be stopped: it passes points, and sleeps at one of them until it is woken, all
 * its threads with it. As a process under SIGSTOP, it hears of no interrupt meanwhile.
 */
final class Sleeper implements Attempt.Points {
  private static final long MILLISECONDS = 10;

  private final IntPredicate point;
  private int passed;
  private boolean asleep;
  private int sleptAt;

  private Sleeper(IntPredicate point) {
    this.point = point;
  }

  /**
   * @param number of the point, from 1; 0 for a rank that never sleeps
   */
  static Sleeper at(int number) {
    return new Sleeper(passed -> passed == number);
  }

  /** Sleeps at the first point that it passes when something is so. */
  static Sleeper when(BooleanSupplier reached) {
    return new Sleeper(passed -> reached.getAsBoolean());
  }

  @Override
  public synchronized void pass() {
    passed++;
    if (sleptAt == 0 && point.test(passed)) {
      asleep = true;
      sleptAt = passed;
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

  /** Whether it has come to no other point since it slept. */
  synchronized boolean sleptAtItsLast() {
    return passed == sleptAt;
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
