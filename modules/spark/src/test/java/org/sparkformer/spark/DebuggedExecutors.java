package org.sparkformer.spark;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.spark.sql.SparkSession;
import org.sparkformer.testkit.Debugger;
import org.sparkformer.testkit.StoppedThread;
import org.sparkformer.testkit.StoppedThread.Floats;

/**
 * The executors of this process's local cluster under debuggers. Ranks compute on Java arrays there
 * ({@code --device java}), which a debugger can reach.
 */
final class DebuggedExecutors implements AutoCloseable {
  private static final String JAVA_OPTIONS = "spark.executor.extraJavaOptions";
  private static final String STEP = "org.sparkformer.training.TrainingStep";

  private final List<Debugger> debuggers = new ArrayList<>();
  private volatile Consumer<Place> atMicroBatch = place -> {};
  private volatile Consumer<Sum> atSum = sum -> {};

  /** A session whose executors can be attached to. */
  static SparkSession open(String master) throws IOException {
    String usual = System.getProperty(JAVA_OPTIONS, "");
    System.setProperty(JAVA_OPTIONS, usual + " " + Debugger.JAVA_OPTION);
    try {
      return SparkSessions.open("debugged", Optional.of(master));
    } finally {
      System.setProperty(JAVA_OPTIONS, usual);
    }
  }

  /** Attaches to all executors there are, once. */
  static DebuggedExecutors attach() throws IOException {
    DebuggedExecutors executors = new DebuggedExecutors();
    for (ProcessHandle process : new ExecutorProcesses(ProcessHandle.current()).alive()) {
      Debugger debugger = Debugger.attach(process);
      executors.debuggers.add(debugger);
      debugger.atEntry(STEP, "passes", thread -> executors.atMicroBatch.accept(new Place(thread)));
      debugger.atEntry(STEP, "sum", thread -> executors.atSum.accept(new Sum(thread)));
    }
    return executors;
  }

  /** What to do from now on, on each rank before the passes of each of its micro-batches. */
  void atEachMicroBatch(Consumer<Place> next) {
    atMicroBatch = next;
  }

  /** What to do from now on, on each rank when its passes of a step are over. */
  void atEachSum(Consumer<Sum> next) {
    atSum = next;
  }

  void leaveAlone() {
    atEachMicroBatch(place -> {});
    atEachSum(sum -> {});
  }

  /** Where a rank is: {@code TrainingStep.passes(Sharding.Pass pass, int step, int leaf)}. */
  record Place(StoppedThread thread) {
    /** Counted from 1. */
    int step() {
      return thread.number(1) + 1;
    }

    /** Its number in the whole step, from 0. */
    int microBatch() {
      return thread.number(2);
    }

    /** This rank's copy of all weights; with overlap, some of the others' are still to come. */
    Floats weights() {
      return weightsOf(thread);
    }

    /** Zeros, to which the passes will add the micro-batch's gradients. */
    Floats gradients() {
      return thread.floatsOfArgument(0, "loss", "storage", "array");
    }
  }

  /** Where a rank is: {@code TrainingStep.sum(int step, Mark computed)}. */
  record Sum(StoppedThread thread) {
    /** Counted from 1. */
    int step() {
      return thread.number(0) + 1;
    }

    /** This rank's copy of all weights, which are all there. */
    Floats weights() {
      return weightsOf(thread);
    }
  }

  private static Floats weightsOf(StoppedThread thread) {
    return thread.floats("state", "parameters", "storage", "array");
  }

  @Override
  public void close() {
    debuggers.forEach(Debugger::close);
  }
}
