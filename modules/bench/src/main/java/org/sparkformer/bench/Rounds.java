package org.sparkformer.bench;

import java.util.Arrays;
import java.util.function.Consumer;
import java.util.function.DoubleSupplier;
import java.util.function.IntToDoubleFunction;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Backend.Mark;
import org.sparkformer.tensor.ops.Operation;

/** Times of several rounds; two subjects take turns, so that a noisy neighbour hits both. */
final class Rounds {
  private static final int ROUNDS = 11;
  private static final int ROUNDS_FOR_THE_HIGHEST = 21;
  private static final double MILLISECONDS_A_ROUND = 40;

  /** Threads of OpenBLAS and OpenMP spin for some time after their work and take a core each. */
  private static final long PAUSE_MILLISECONDS = 40;

  private Rounds() {}

  /** A subject: runs so many times, gives milliseconds for all of them. */
  interface Subject extends IntToDoubleFunction {}

  /** Subject that runs an operation on a device, timed by the device. */
  static Subject of(Backend backend, Operation operation) {
    return of(backend, backend::run, operation);
  }

  /**
   * As {@link #of(Backend, Operation)}, of one way among others to run it.
   *
   * @param runner runs on that device's queue
   */
  static Subject of(Backend backend, Consumer<Operation> runner, Operation operation) {
    return times -> {
      Mark begin = backend.mark();
      for (int i = 0; i < times; i++) {
        runner.accept(operation);
      }
      return backend.mark().millisecondsSince(begin);
    };
  }

  /** Milliseconds of one run, a row a subject and a column a round. */
  static double[][] alternate(Subject... subjects) {
    int[] repeats = new int[subjects.length];
    for (int s = 0; s < subjects.length; s++) {
      subjects[s].applyAsDouble(1);
      double once = subjects[s].applyAsDouble(1);
      repeats[s] = (int) Math.max(1, Math.min(10_000, MILLISECONDS_A_ROUND / Math.max(once, 1e-3)));
    }
    double[][] times = new double[subjects.length][ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
      for (int s = 0; s < subjects.length; s++) {
        pause();
        // Cores that slept are slow to begin with.
        subjects[s].applyAsDouble(Math.max(1, repeats[s] / 2));
        times[s][round] = subjects[s].applyAsDouble(repeats[s]) / repeats[s];
      }
    }
    return times;
  }

  /** Lets the threads of whoever was measured last fall asleep. */
  static void pause() {
    try {
      Thread.sleep(PAUSE_MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** What a subject reaches at its best: for ceilings, which Java's compilers at work hide. */
  static double highest(DoubleSupplier measurement) {
    double highest = 0;
    for (int round = 0; round < ROUNDS_FOR_THE_HIGHEST; round++) {
      highest = Math.max(highest, measurement.getAsDouble());
      pause();
    }
    return highest;
  }

  static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }

  /** Median over rounds of numerator / denominator. */
  static double medianRatio(double[] numerator, double[] denominator) {
    double[] ratios = new double[numerator.length];
    for (int i = 0; i < ratios.length; i++) {
      ratios[i] = numerator[i] / denominator[i];
    }
    return median(ratios);
  }
}
