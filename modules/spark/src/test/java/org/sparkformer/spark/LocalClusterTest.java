package org.sparkformer.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.training.RunSummary;
import org.sparkformer.training.configuration.DataConfiguration;

/** Executors are processes here: frames cross sockets, and a process can be killed. */
class LocalClusterTest {
  private static SparkSession session;
  @TempDir static Path folder;

  @BeforeAll
  static void start() throws Exception {
    session = SparkSessions.open("cluster", Optional.of("local-cluster[2,1,1024]"));
    TinyRun.text(folder);
  }

  @AfterAll
  static void stop() {
    session.stop();
  }

  @Test
  void aRunThatLosesAnExecutorEndsWithTheSameWeights() throws Exception {
    TinyRun.Log calm = new TinyRun.Log();
    RunSummary one = train("one", OptionalInt.of(1), calm);
    assertEquals(1, calm.starts.size());

    AtomicBoolean killed = new AtomicBoolean();
    TinyRun.Log log =
        new TinyRun.Log() {
          @Override
          public void onCheckpoint(int step, String path) {
            super.onCheckpoint(step, path);
            if (killed.compareAndSet(false, true)) {
              killAnExecutor();
            }
          }
        };
    RunSummary two = train("two", OptionalInt.empty(), log);

    assertEquals(2, two.ranks());
    assertEquals(one.weightsSha256(), two.weightsSha256());
    assertEquals(2, log.starts.size(), log.messages.toString());
    assertEquals(0, log.starts.get(0).step());
    assertTrue(log.starts.get(1).step() >= 2, log.starts.toString());
    assertTrue(
        log.messages.stream().anyMatch(m -> m.contains("going on from the newest checkpoint")),
        log.messages.toString());
  }

  @Test
  void executorsThatShareTheWeightsGiveTheSameBits() throws Exception {
    RunSummary whole = train("whole", OptionalInt.of(1), new TinyRun.Log());
    TrainingRequest sharing = TinyRun.sharingWeights(request("shared"));
    RunSummary shared = new TrainingDriver(session).train(sharing, new TinyRun.Log());
    assertEquals(2, shared.ranks());
    assertEquals(whole.weightsSha256(), shared.weightsSha256());
  }

  private static RunSummary train(String output, OptionalInt ranks, TinyRun.Log log)
      throws Exception {
    return new TrainingDriver(session).train(request(output).withRanks(ranks), log);
  }

  private static TrainingRequest request(String output) {
    DataConfiguration data =
        DataConfiguration.ofInput(folder.resolve("text.txt").toString(), "char");
    return TinyRun.request(data, folder.resolve(output));
  }

  /** This process has no other Java processes below it. */
  static void killAnExecutor() {
    ProcessHandle executor =
        ProcessHandle.current()
            .descendants()
            .filter(process -> process.info().command().orElse("").endsWith("java"))
            .findFirst()
            .orElseThrow();
    executor.destroyForcibly();
  }
}
