package org.sparkformer.training;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Backend.Mark;

/**
 * Where the time of the steps since the last logged one went. The host runs ahead of the device, so
 * wall time is taken over whole intervals; forward and backward are device time between marks,
 * which are set in logged steps only.
 */
final class StepClock {
  private final Backend backend;
  private final boolean amongRanks;
  private final Communication communication;
  private final List<MicroBatchMarks> marks = new ArrayList<>();
  private boolean measured;
  private long runningSince;
  private long wallNanos;
  private long dataWaitNanos;
  private long gradientsNanos;
  private int steps;

  private record MicroBatchMarks(Mark begin, Mark middle, Mark end) {}

  /** What {@link #lap} found, in milliseconds; means over {@code steps} but for the passes. */
  record Lap(
      double step,
      double forward,
      double backward,
      double allReduce,
      double exposedReduce,
      double exposedGather,
      double held,
      double dataWait) {
    /** What the exchange with other ranks adds to the step. */
    double exposed() {
      return exposedReduce + exposedGather;
    }

    /** What the step would take if no other rank were waited for. */
    double own() {
      return step - exposed() - held;
    }
  }

  /**
   * @param communication does the exchange with other ranks
   */
  StepClock(Rank rank, Communication communication) {
    this.backend = rank.backend();
    this.amongRanks = !rank.isAlone();
    this.communication = communication;
  }

  /** Runs the clock: after start-up, evaluation or a checkpoint. */
  void resume() {
    runningSince = System.nanoTime();
  }

  /** Waits for the device and stops the clock. */
  void pause() {
    backend.finish();
    wallNanos += System.nanoTime() - runningSince;
  }

  /** A step begins; one that will be logged gets marks. */
  void beginStep(boolean logged) {
    steps++;
    measured = logged;
    marks.clear();
  }

  /** Runs a micro-batch's two passes. */
  void passes(Runnable forward, Runnable backward) {
    Mark begin = measured ? backend.mark() : null;
    forward.run();
    Mark middle = measured ? backend.mark() : null;
    backward.run();
    if (measured) {
      marks.add(new MicroBatchMarks(begin, middle, backend.mark()));
    }
  }

  /** Takes the next micro-batch. */
  MicroBatch data(MicroBatchReader reader) throws IOException, InterruptedException {
    long since = System.nanoTime();
    MicroBatch batch = reader.next();
    dataWaitNanos += System.nanoTime() - since;
    return batch;
  }

  /** Marks the end of what the device has been given to compute; null where there is one rank. */
  Mark computed() {
    return amongRanks ? backend.mark() : null;
  }

  /**
   * Runs what waits for the sums of gradients.
   *
   * @param computed from {@link #computed}
   */
  void waitForGradients(Mark computed, Runnable wait) {
    if (!amongRanks) {
      wait.run();
      return;
    }
    // From the moment when the device has computed what it was given, nothing hides the wait.
    computed.await();
    long since = System.nanoTime();
    wait.run();
    gradientsNanos += System.nanoTime() - since;
  }

  /** Times since the last lap; starts the next. To be called while paused. */
  Lap lap() {
    double each = 1e6 * Math.max(1, steps);
    Lap lap =
        new Lap(
            wallNanos / each,
            marks.stream().mapToDouble(m -> m.middle().millisecondsSince(m.begin())).sum(),
            marks.stream().mapToDouble(m -> m.end().millisecondsSince(m.middle())).sum(),
            communication.takeBusyNanos() / each,
            gradientsNanos / each,
            communication.takeWeightsNanos() / each,
            communication.takeHeldNanos() / each,
            dataWaitNanos / each);
    steps = 0;
    wallNanos = 0;
    dataWaitNanos = 0;
    gradientsNanos = 0;
    return lap;
  }
}
