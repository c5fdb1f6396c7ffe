package org.sparkformer.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ScalingRowTest {
  @TempDir private Path run;

  @Test
  void takesMediansAfterTheWarmUpAndComparesWithTheIdeal() throws IOException {
    StringBuilder metrics = new StringBuilder("{\"step\":3,\"val_loss\":2.5}\n");
    double[] steps = {9000, 8000, 1300, 1100, 1200};
    for (int i = 0; i < steps.length; i++) {
      metrics.append(
          "{\"step\":%d,\"step_ms\":%s,\"tokens_per_second\":%s,\"allreduce_ms\":700,\"allreduce_exposed_ms\":200,\"reduce_exposed_ms\":90}\n"
              .formatted(Math.max(1, 4 * i), steps[i], 1e6 / steps[i]));
    }
    Files.writeString(run.resolve("metrics.jsonl"), metrics);
    Files.writeString(run.resolve("run.json"), "{\"ranks\":4}");
    ScalingRow row = ScalingRow.read(run);
    assertEquals(new ScalingRow(4, 1e6 / 1200, 1200, 700, 200, 90), row);
    ScalingRow alone = new ScalingRow(1, 250, 4000, 0, 0, 0);
    assertEquals(
        "    4  bf16    ring       no       833     1200         700        200        90      83%",
        row.line(new ScalingRuns.Variant(4, "bf16", "ring", false), alone));
  }
}
