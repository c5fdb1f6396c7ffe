package org.sparkformer.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.holdenkarau.spark.testing.SharedJavaSparkContext;
import java.nio.file.Path;
import java.util.List;
import org.apache.spark.SparkConf;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.testkit.FlakyFileSystem;
import org.sparkformer.training.RunSummary;
import org.sparkformer.training.configuration.DataConfiguration;

/** Faults in a row, without and with a checkpoint between them: one for each restart and more. */
class RestartsTest extends SharedJavaSparkContext {
  @TempDir Path folder;
  private final TinyRun.Log log = new TinyRun.Log();

  @Override
  public SparkConf conf() {
    return SessionSettings.complete(super.conf(), "restarts", "local[1]")
        .set("spark.hadoop.fs.file.impl", FlakyFileSystem.class.getName())
        .set("spark.hadoop.fs.file.impl.disable.cache", "true");
  }

  @BeforeEach
  void start() throws Exception {
    runBefore();
    TinyRun.text(folder);
  }

  @AfterAll
  static void stop() {
    runAfterClass();
  }

  @Test
  void theNinthFaultInARowEndsTheRunAndSaysWhatToDo() {
    FlakyFileSystem.plan("x".repeat(99));
    TrainingFailedException failed =
        assertThrows(TrainingFailedException.class, () -> train("nine"));
    List<String> restarts =
        log.messages.stream().filter(text -> text.contains("going on from the newest")).toList();
    assertEquals(8, restarts.size(), log.messages.toString());
    assertTrue(restarts.get(7).endsWith("(0 restarts left)"), restarts.toString());
    assertEquals(9, log.starts.size(), log.starts.toString());
    String message = failed.getMessage();
    assertTrue(message.contains("the disk is full, for the moment"), message);
    assertTrue(message.contains("no restart is left"), message);
    assertTrue(message.endsWith("the same command goes on from there"), message);
  }

  @Test
  void eachCheckpointAllowsAsManyRestartsAgain() throws Exception {
    FlakyFileSystem.plan("");
    RunSummary calm = train("calm");
    log.starts.clear();
    FlakyFileSystem.plan("xxxxxxxx.xxxxxxxx.xxxxxxxx.");
    RunSummary disturbed = train("disturbed");
    assertEquals(24, FlakyFileSystem.faults());
    assertEquals(25, log.starts.size());
    assertEquals(calm.weightsSha256(), disturbed.weightsSha256());
  }

  @Test
  void aFileSystemThatIsStillAwayWhenAnAttemptHasEndedCostsNoMore() throws Exception {
    FlakyFileSystem.plan("x");
    FlakyFileSystem.unlisted("dataset");
    train("away");
    assertEquals(2, log.starts.size(), log.messages.toString());
    assertTrue(
        log.messages.stream().anyMatch(text -> text.contains("which hosts hold the dataset")),
        log.messages.toString());
  }

  /** The same with executors that are killed, and the process's own end. */
  @Test
  @Tag("soak")
  void nineKilledExecutorsInARowEndTheProcess() throws Exception {
    DriverProcess driver =
        DriverProcess.start(folder, "killed", "killed", "local-cluster[2,1,1024]");
    for (int fault = 1; fault <= 9; fault++) {
      driver.awaitStart(fault);
      driver.killAnExecutor();
    }
    assertEquals(1, driver.exitCode(), driver.log());
    List<String> failures =
        driver.messages().stream().filter(line -> line.startsWith("failed: ")).toList();
    assertEquals(1, failures.size(), driver.log());
    assertTrue(failures.get(0).contains("no restart is left"), driver.log());
  }

  private RunSummary train(String output) throws Exception {
    DataConfiguration data =
        DataConfiguration.ofInput(folder.resolve("text.txt").toString(), "char");
    return new TrainingDriver(SparkSession.builder().config(conf()).getOrCreate())
        .train(TinyRun.request(data, folder.resolve(output)), log);
  }
}
