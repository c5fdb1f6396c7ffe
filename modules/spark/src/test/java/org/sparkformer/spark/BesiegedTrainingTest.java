package org.sparkformer.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.spark.transport.Stranger;
import org.sparkformer.training.StepMetrics;
import org.sparkformer.training.TrainingListener;
import org.sparkformer.training.TrainingStart;
import org.sparkformer.training.configuration.TrainingConfiguration;

/** Training on executors of an application that demands authentication, and TLS. */
class AuthenticatedTrainingTest {
  private static final int STEPS = 1500;
  private static final int MILLISECONDS_A_STEP = 50;
  private static final int RANKS = 2;

  @TempDir Path folder;

  @Test
  void aProcessWithoutTheSecretIsHeardByNoRankNorTheDriver() throws Exception {
    TinyRun.text(folder);
    String calm = train("calm", "local[1]", 1, TrainingListener.NONE);
    Map<String, String> settings = Stranger.settings(folder);
    settings.forEach(System::setProperty);
    try (Stranger stranger = Stranger.start(folder)) {
      Besieged log = new Besieged(stranger);
      assertEquals(calm, train("besieged", "local-cluster[2,1,1024]", RANKS, log));
      assertTrue(log.calls.isDone(), "training was over before the stranger had called");
      List<List<String>> words = log.calls.get();
      assertEquals(0, heard(words.get(0)), words.get(0).toString());
      assertEquals(0, heard(words.get(1)), words.get(1).toString());
      // It did call both ranks and the driver: with the secret it is told that the run is another.
      assertEquals(RANKS + 1, heard(words.get(2)), words.get(2).toString());
      assertEquals(IntStream.rangeClosed(1, STEPS).boxed().toList(), log.steps);
      assertEquals(List.of(), log.strange());
    } finally {
      settings.keySet().forEach(System::clearProperty);
    }
  }

  private static long heard(List<String> refusals) {
    return refusals.stream()
        .filter(words -> words.contains(Stranger.HEARD) || words.equals(Stranger.TAKEN_IN))
        .count();
  }

  private String train(String run, String master, int ranks, TrainingListener listener)
      throws Exception {
    TrainingConfiguration training =
        TinyRun.training(STEPS).toBuilder().evalInterval(0).checkpointInterval(0).build();
    try (JavaSparkContext context =
        SparkSessions.openContext("authenticated", Optional.of(master))) {
      return new TrainingDriver(context)
          .train(TinyRun.request(folder, run, training).withRanks(OptionalInt.of(ranks)), listener)
          .weightsSha256();
    }
  }

  /** Has everything called that listens, in the driver and in the executors, while they train. */
  private static final class Besieged extends TinyRun.Log {
    private final Stranger stranger;
    private volatile CompletableFuture<List<List<String>>> calls;

    Besieged(Stranger stranger) {
      this.stranger = stranger;
    }

    @Override
    public void onStart(TrainingStart start) {
      super.onStart(start);
      List<ProcessHandle> processes = new ArrayList<>(List.of(ProcessHandle.current()));
      processes.addAll(new ExecutorProcesses(ProcessHandle.current()).alive());
      calls =
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  return stranger.call(ListeningPorts.of(processes));
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              });
    }

    /** The ranks wait for the answer: while the stranger calls, there is somebody to be called. */
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
}
