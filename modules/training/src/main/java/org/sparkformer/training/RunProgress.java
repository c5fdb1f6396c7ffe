package org.sparkformer.training;

/**
 * How far a run has come.
 *
 * @param step optimizer steps done
 * @param loss of the last logged step; null before it
 * @param valLoss of the last evaluation; null before it
 * @param wallSeconds time spent, earlier sessions included
 */
public record RunProgress(int step, Double loss, Double valLoss, double wallSeconds) {
  /** Before the first step. */
  public static final RunProgress START = new RunProgress(0, null, null, 0);

  RunProgress withStep(int done) {
    return new RunProgress(done, loss, valLoss, wallSeconds);
  }

  RunProgress withLoss(double value) {
    return new RunProgress(step, value, valLoss, wallSeconds);
  }

  RunProgress withValLoss(double value) {
    return new RunProgress(step, loss, value, wallSeconds);
  }

  RunProgress withWallSeconds(double value) {
    return new RunProgress(step, loss, valLoss, value);
  }
}
