package org.sparkformer.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.training.Json;

/** A run that is stopped, and goes on with another number of executors each time. */
class MovedRunTest {
  @TempDir Path folder;

  @Test
  void onFourThenTwoThenThreeThenOneExecutorEachStepIsTheSame() throws Exception {
    TinyRun.text(folder);
    DriverProcess straight = start("straight", 1);
    assertEquals(0, straight.exitCode(), straight.log());
    int step = 0;
    for (int executors : new int[] {4, 2, 3}) {
      step += DriverProcess.STEPS / 5;
      DriverProcess part = start("moved", executors);
      part.awaitStep(step);
      part.signal("TERM");
      assertEquals(143, part.exitCode(), part.log());
      assertTrue(part.lastStep() < DriverProcess.STEPS, part.log());
    }
    DriverProcess last = start("moved", 1);
    assertEquals(0, last.exitCode(), last.log());
    assertEquals(
        DriverProcess.weights(folder.resolve("straight")),
        DriverProcess.weights(folder.resolve("moved")));
    LastCheckpoint.of(folder.resolve("straight"))
        .assertSameAs(LastCheckpoint.of(folder.resolve("moved")));
    List<String> losses = losses("straight");
    assertEquals(DriverProcess.STEPS, losses.size());
    assertEquals(losses, losses("moved"));
  }

  private DriverProcess start(String run, int executors) throws Exception {
    return DriverProcess.start(
        folder, run, run + "-" + executors, "local-cluster[%d,1,1024]".formatted(executors));
  }

  /** Of all steps: other samples, or one of them twice, would give others. */
  private List<String> losses(String run) throws Exception {
    List<String> losses = new ArrayList<>();
    for (String line : Files.readAllLines(folder.resolve(run).resolve("metrics.jsonl"))) {
      JsonNode metrics = Json.tree(line.getBytes());
      if (metrics.has("loss")) {
        losses.add(metrics.get("step") + " " + metrics.get("loss"));
      }
    }
    return losses;
  }
}
