package org.sparkformer.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.testkit.LoggedProcess;

/**
 * The command itself on a disk that takes no more of a file than some kibibytes: less than there is
 * in a checkpoint.
 */
class FullDiskTest {
  private static final Duration LONG = Duration.ofMinutes(2);
  private static final int KIBIBYTES = 32;

  @TempDir Path folder;

  @Test
  void theCommandSaysWhichFileAndGoesOnWhenThereIsRoom() throws Exception {
    try (LoggedProcess full = train("full", "ulimit -f " + KIBIBYTES)) {
      assertEquals(1, full.exitCode(LONG), full.log());
      List<String> errors =
          full.log().lines().filter(line -> line.startsWith("sparkformer: ")).toList();
      assertEquals(1, errors.size(), full.log());
      assertTrue(
          errors
              .get(0)
              .matches(
                  ".*cannot write the checkpoint of step 3 to file:.*/checkpoints/step-00000003: file:.*/step-00000003/.*: File too large; .*"),
          errors.get(0));
      assertTrue(full.log().lines().noneMatch(line -> line.startsWith("\tat ")), full.log());
    }
    try (LoggedProcess roomy = train("roomy", "ulimit -f")) {
      assertEquals(0, roomy.exitCode(LONG), roomy.log());
    }
  }

  private LoggedProcess train(String name, String limit) throws IOException {
    ToyProject project =
        new ToyProject(
            folder,
            """
            model: {layers: 2, heads: 2, width: 32, context: 8}
            data: {tokenizer: char}
            training: {steps: 6, batch_size: 4, micro_batch_size: 2, eval_interval: 0,
              checkpoint_interval: 3, warmup_steps: 2}
            """);
    return project.start(
        name + ".log",
        List.of("bash", "-c", limit + " && exec \"$@\"", "bash"),
        "run",
        "--master",
        "local[2]",
        "--ranks",
        "2",
        "--max-restarts",
        "1");
  }
}
