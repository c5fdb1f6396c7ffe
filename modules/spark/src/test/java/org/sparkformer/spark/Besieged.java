package org.sparkformer.spark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.sparkformer.training.StepMetrics;
import org.sparkformer.training.TrainingStart;

/** A run during which strangers call everything that listens, in the driver and the executors. */
final class Besieged<T> extends TinyRun.Log {
  private static final int MILLISECONDS_A_STEP = 250;

  private final Strangers<T> strangers;
  private volatile CompletableFuture<T> calls;

  Besieged(Strangers<T> strangers) {
    this.strangers = strangers;
  }

  /** Whoever calls. */
  interface Strangers<T> {
    /**
     * @param addresses as {@code host:port}
     */
    T call(List<String> addresses) throws IOException;
  }

  /** What the calls came to, of which there were more than training's last step waited for. */
  T outcome() throws InterruptedException, ExecutionException {
    if (!calls.isDone()) {
      throw new AssertionError("training was over before the strangers had called");
    }
    return calls.get();
  }

  @Override
  public void onStart(TrainingStart start) {
    super.onStart(start);
    calls =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return strangers.call(ListeningPorts.of(processes()));
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
  }

  /** The driver's, then the executors'. */
  static List<ProcessHandle> processes() {
    List<ProcessHandle> processes = new ArrayList<>(List.of(ProcessHandle.current()));
    processes.addAll(new ExecutorProcesses(ProcessHandle.current()).alive());
    return processes;
  }

  /** The ranks wait for the answer: while strangers call, there is somebody to be called. */
  @Override
  public void onStep(StepMetrics metrics) {
    super.onStep(metrics);
    try {
      calls.get(MILLISECONDS_A_STEP, TimeUnit.MILLISECONDS);
    } catch (TimeoutException stillCalling) {
      // The next step waits too.
    } catch (InterruptedException | ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Messages of the link that it cannot read. */
  List<String> strange() {
    return messages.stream().filter(text -> text.contains("cannot read")).toList();
  }
}
