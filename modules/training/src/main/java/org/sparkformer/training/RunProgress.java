package org.sparkformer.training;

import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * How far a run has come.
 *
 * @param step optimizer steps done, those whose batch was skipped included
 * @param loss of the last logged step; null before it
 * @param valLoss of the last evaluation; null before it
 * @param wallSeconds time spent, earlier sessions included
 * @param losses what the losses of the steps so far tell of the next; empty where no spikes are
 *     looked for
 * @param skipped steps counted from 1, ascending, that change or changed no weight; some may lie
 *     ahead, where the run went back
 */
public record RunProgress(
    int step,
    Double loss,
    Double valLoss,
    double wallSeconds,
    LossStatistics losses,
    List<Integer> skipped) {
  /** Before the first step. */
  public static final RunProgress START =
      new RunProgress(0, null, null, 0, LossStatistics.NONE, List.of());

  /** Takes what earlier versions did not write for empty. */
  public RunProgress {
    losses = losses == null ? LossStatistics.NONE : losses;
    skipped = skipped == null ? List.of() : List.copyOf(skipped);
  }

  RunProgress withStep(int done) {
    return new RunProgress(done, loss, valLoss, wallSeconds, losses, skipped);
  }

  RunProgress withLoss(double value) {
    return new RunProgress(step, value, valLoss, wallSeconds, losses, skipped);
  }

  RunProgress withValLoss(double value) {
    return new RunProgress(step, loss, value, wallSeconds, losses, skipped);
  }

  RunProgress withWallSeconds(double value) {
    return new RunProgress(step, loss, valLoss, value, losses, skipped);
  }

  RunProgress withLosses(LossStatistics value) {
    return new RunProgress(step, loss, valLoss, wallSeconds, value, skipped);
  }

  /** With the steps of a range skipped too. */
  RunProgress withSkipped(int first, int last) {
    List<Integer> all =
        Stream.concat(skipped.stream(), IntStream.rangeClosed(first, last).boxed())
            .sorted()
            .distinct()
            .toList();
    return new RunProgress(step, loss, valLoss, wallSeconds, losses, all);
  }

  /** Whether a step counted from 1 is skipped. */
  boolean isSkipped(int number) {
    return Collections.binarySearch(skipped, number) >= 0;
  }

  /** How many of the steps done were skipped. */
  int skippedSoFar() {
    return (int) skipped.stream().filter(number -> number <= step).count();
  }

  /** The first of the skipped steps that lead up to {@code last} without a gap. */
  int firstSkippedInARow(int last) {
    int first = last;
    while (isSkipped(first - 1)) {
      first--;
    }
    return first;
  }
}
