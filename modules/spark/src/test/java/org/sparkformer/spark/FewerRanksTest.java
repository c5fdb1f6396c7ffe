package org.sparkformer.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.models.GptConfiguration;
import org.sparkformer.training.StepMetrics;
import org.sparkformer.training.configuration.DataConfiguration;
import org.sparkformer.training.configuration.RunConfiguration;
import org.sparkformer.training.configuration.TrainingConfiguration;

/** A model that two executors hold together, and one of them alone does not. */
class FewerRanksTest {
  /**
   * Of 26 M parameters: a rank alone would need 496 MiB for weights, moments and gradients. Of two
   * that share them out each needs less than half of that.
   */
  private static final GptConfiguration MODEL = GptConfiguration.of(8, 2, 520, 8, 12);

  private static final String HEAP = "480m";

  /** Other collectors keep a part of the heap back from what Java says that there is. */
  private static final String COLLECTOR = "-XX:+UseG1GC";

  private static final String JAVA_OPTIONS = "spark.executor.extraJavaOptions";
  private static final String USUAL_OPTIONS = System.getProperty(JAVA_OPTIONS, "");

  @TempDir Path folder;
  private SparkSession session;

  @BeforeEach
  void start() throws Exception {
    System.setProperty("spark.executor.memory", HEAP);
    System.setProperty(JAVA_OPTIONS, USUAL_OPTIONS + " " + COLLECTOR);
    System.setProperty("spark.sparkformer.gangTimeout", "1s");
    session = SparkSessions.open("fewer", Optional.of("local-cluster[2,1,1024]"));
    while (session.sparkContext().getExecutorMemoryStatus().size() < 3) {
      Thread.sleep(50);
    }
    TinyRun.text(folder);
  }

  @AfterEach
  void stop() {
    System.clearProperty("spark.executor.memory");
    System.setProperty(JAVA_OPTIONS, USUAL_OPTIONS);
    System.clearProperty("spark.sparkformer.gangTimeout");
    session.stop();
  }

  @Test
  void aRankThatIsLeftAloneWithTooMuchToHoldEndsTheRunAndSaysWhatToDo() {
    try (LastExecutor log = new LastExecutor()) {
      TrainingFailedException failed =
          assertThrows(
              TrainingFailedException.class,
              () -> new TrainingDriver(session).train(request(), log));
      String said = failed.getMessage();
      assertTrue(
          said.startsWith("with room for 1 of 2 ranks it cannot go on: rank 0 of 1 on"), said);
      assertTrue(said.contains("training needs at least 49"), said);
      assertTrue(said.contains("has 480 MiB: "), said);
      assertTrue(said.endsWith("with --ranks 2 to wait for them"), said);
      assertEquals(1, log.starts.size(), log.messages.toString());
      assertEquals(2, log.starts.get(0).ranks());
    }
  }

  private TrainingRequest request() {
    TrainingConfiguration training =
        TinyRun.training(1000).toBuilder()
            .batchSize(2)
            .zeroStage(3)
            .evalInterval(0)
            .checkpointInterval(0)
            .build();
    DataConfiguration data =
        DataConfiguration.ofInput(folder.resolve("text.txt").toString(), "char");
    return TinyRun.request(data, folder.resolve("run"))
        .withConfiguration(new RunConfiguration("fewer", MODEL, data, training));
  }

  /** Kills all executors but one after a step, and each that Spark starts in their place. */
  private static final class LastExecutor extends TinyRun.Log implements AutoCloseable {
    private final ExecutorProcesses executors = new ExecutorProcesses(ProcessHandle.current());
    private final Thread killer = new Thread(this::kill, "killer");

    @Override
    public void onStep(StepMetrics metrics) {
      super.onStep(metrics);
      if (metrics.step() == 2) {
        killer.start();
      }
    }

    private void kill() {
      ProcessHandle last = executors.alive().get(0);
      try {
        while (true) {
          List<ProcessHandle> others =
              executors.alive().stream().filter(process -> !process.equals(last)).toList();
          others.forEach(ProcessHandle::destroyForcibly);
          Thread.sleep(50);
        }
      } catch (InterruptedException over) {
        Thread.currentThread().interrupt();
      }
    }

    @Override
    public void close() {
      killer.interrupt();
    }
  }
}
