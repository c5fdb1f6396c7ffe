package org.sparkformer.training;

import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Backend.Mark;

/**
 * Keeps the host at most one piece of work ahead of the device: enough to keep the device busy, and
 * little enough that a device that does not get on is noticed by its host.
 */
final class RunAhead {
  private final Backend backend;
  private final StepActivity activity;
  private Mark last;

  RunAhead(Backend backend, StepActivity activity) {
    this.backend = backend;
    this.activity = activity;
  }

  /** A piece is queued; waits for the one before it. */
  void queued() {
    Mark mark = backend.mark();
    if (last != null) {
      activity.begin("waiting for the device");
      last.await();
    }
    last = mark;
  }
}
