package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.sparkformer.training.configuration.RunConfiguration;

/** What ends a run before its last step. */
class RunEndTest extends TinyRuns {
  private static final RunConfiguration CONFIGURATION =
      TinyRun.configuration(
          TinyRun.training().steps(7).checkpointInterval(2).logInterval(1).build(), 0.1);

  @Test
  void aCheckpointThatCannotBeWrittenEndsTrainingWithTheReason() throws Exception {
    Files.createDirectory(folder.resolve("run"));
    Files.createFile(folder.resolve("run/checkpoints"));
    String message =
        assertThrows(IOException.class, () -> train("run", CONFIGURATION, 2)).getMessage();
    assertTrue(message.startsWith("cannot write the checkpoint of step 2 to "), message);
  }

  @Test
  void anInterruptEndsTrainingAfterTheStep() {
    TrainingListener interrupting =
        new TrainingListener() {
          @Override
          public void onStep(StepMetrics metrics) {
            if (metrics.step() == 3) {
              Thread.currentThread().interrupt();
            }
          }
        };
    assertThrows(
        InterruptedException.class,
        () -> TinyRun.train(run("run", CONFIGURATION), 1, interrupting));
    assertTrue(Files.notExists(folder.resolve("run/run.json")));
  }

  @Test
  void aRankWhoseAttemptIsOverLeavesTheFolderAlone() throws Exception {
    train("run", CONFIGURATION, 1);
    Files.delete(folder.resolve("run/run.json"));
    Path leftover = Files.createDirectory(folder.resolve("run/checkpoints/step-00000009"));
    byte[] metrics = Files.readAllBytes(folder.resolve("run/metrics.jsonl"));
    for (int allowed = 0; allowed < 2; allowed++) {
      TrainingListener listener = refusedAfter(allowed);
      assertThrows(IOException.class, () -> TinyRun.train(run("run", CONFIGURATION), 1, listener));
      assertEquals(allowed == 0, Files.exists(leftover));
      assertArrayEquals(metrics, Files.readAllBytes(folder.resolve("run/metrics.jsonl")));
      assertTrue(Files.notExists(folder.resolve("run/run.json")));
    }
  }

  private static TrainingListener refusedAfter(int allowed) {
    AtomicInteger left = new AtomicInteger(allowed);
    return new TrainingListener() {
      @Override
      public void beforeCommit() throws IOException {
        if (left.getAndDecrement() <= 0) {
          throw new IOException("another attempt has the run");
        }
      }
    };
  }
}
