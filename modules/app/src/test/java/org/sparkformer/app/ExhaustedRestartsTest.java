package org.sparkformer.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.testkit.LoggedProcess;

/** The command itself, whose executors are killed once more than it may start again. */
class ExhaustedRestartsTest {
  private static final Duration LONG = Duration.ofMinutes(2);

  @TempDir Path folder;

  @Test
  void theLastKilledExecutorEndsTheCommandWithOneLineAndItsExitCode() throws Exception {
    try (LoggedProcess command = train()) {
      command.await("step 20/", LONG);
      killAnExecutor(command);
      command.await(
          "going on from the newest checkpoint \\(0 restarts left\\)[\\s\\S]*step 20/", LONG);
      killAnExecutor(command);
      assertEquals(1, command.exitCode(LONG), command.log());
      List<String> errors =
          command.log().lines().filter(line -> line.startsWith("sparkformer: ")).toList();
      assertEquals(1, errors.size(), command.log());
      assertTrue(errors.get(0).contains("no restart is left"), errors.get(0));
      assertTrue(errors.get(0).endsWith("the same command goes on from there"), errors.get(0));
      assertTrue(command.log().endsWith(errors.get(0) + "\n"), command.log());
      assertTrue(command.log().lines().noneMatch(line -> line.startsWith("\tat ")), command.log());
    }
  }

  /** Steps enough for both faults, and no checkpoint that would allow as many restarts again. */
  private LoggedProcess train() throws IOException {
    ToyProject project =
        new ToyProject(
            folder,
            """
            model: {layers: 1, heads: 2, width: 16, context: 8}
            data: {tokenizer: char}
            training: {steps: 1000000, batch_size: 4, micro_batch_size: 1, eval_interval: 0,
              checkpoint_interval: 0, log_interval: 10, warmup_steps: 2}
            """);
    return project.start(
        "train.log",
        List.of(),
        "run",
        "--master",
        "local-cluster[2,1,1024]",
        "--max-restarts",
        "1");
  }

  private static void killAnExecutor(LoggedProcess driver) {
    driver
        .descendants()
        .filter(process -> arguments(process).contains("CoarseGrainedExecutorBackend"))
        .findFirst()
        .orElseThrow()
        .destroyForcibly();
  }

  /** As Linux has them; empty for a process that has ended. */
  private static String arguments(ProcessHandle process) {
    Path file = Path.of("/proc", Long.toString(process.pid()), "cmdline");
    try {
      return Files.readString(file, StandardCharsets.ISO_8859_1);
    } catch (IOException ended) {
      return "";
    }
  }
}
