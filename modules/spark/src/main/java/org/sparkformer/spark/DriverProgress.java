package org.sparkformer.spark;

import java.io.IOException;
import org.sparkformer.spark.transport.DriverLink;
import org.sparkformer.training.TrainingListener;

/**
 * Repeats what rank 0 says to the driver's listener; each checkpoint fills the budget of restarts
 * up. The listener hears one thing at a time, whichever thread it comes from.
 */
final class DriverProgress implements DriverLink.Listener {
  private final TrainingListener listener;
  private final RestartBudget budget;
  private final StopSignal stop;
  private volatile Gang gang;

  DriverProgress(TrainingListener listener, RestartBudget budget, StopSignal stop) {
    this.listener = listener;
    this.budget = budget;
    this.stop = stop;
  }

  /** The gang whose progress it is. */
  void of(Gang launched) {
    gang = launched;
  }

  @Override
  public boolean isToStop() {
    return stop.received();
  }

  @Override
  public void line(int rank, String line) {
    try {
      ProgressLine progress = ProgressLine.parse(line);
      tell(progress);
      if (progress.stuck() != null) {
        gang.abandon(progress.stuck());
      }
    } catch (IOException e) {
      listener.onMessage("rank " + rank + " said what the driver cannot read: " + e.getMessage());
    }
  }

  private synchronized void tell(ProgressLine progress) {
    if (progress.checkpoint() != null) {
      budget.refill();
    }
    if (progress.start() != null) {
      stop.trainingBegins();
    }
    progress.tell(listener);
  }

  synchronized void message(String text) {
    listener.onMessage(text);
  }

  /**
   * Takes a restart from the budget and says so.
   *
   * @return false when none is left, or the process is ending
   */
  synchronized boolean restart(String cause) {
    if (stop.received() || !budget.spend()) {
      return false;
    }
    listener.onMessage(
        "%s; going on from the newest checkpoint (%d restarts left)"
            .formatted(cause, budget.left()));
    return true;
  }
}
