package org.sparkformer.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.testkit.LoggedProcess;

/** What a terminal shows of an error in Spark; in a process of its own, for logging starts once. */
class ErrorOutputTest {
  /** An address for documentation, which no machine has: Spark cannot start and logs why. */
  private static final String NOWHERE = "-Dspark.driver.bindAddress=192.0.2.1";

  @TempDir Path folder;

  @Test
  void anErrorIsOneLine() throws Exception {
    List<String> lines = fail();
    assertEquals(1, lines.size(), lines.toString());
    assertTrue(lines.get(0).startsWith("sparkformer: BindException: "), lines.toString());
  }

  @Test
  void withDebugSparksOwnLinesAreThere() throws Exception {
    List<String> lines = fail("--debug");
    assertTrue(lines.stream().anyMatch(line -> line.contains("ERROR SparkContext")), "no logs");
  }

  private List<String> fail(String... options) throws IOException, InterruptedException {
    List<String> arguments = new ArrayList<>(List.of("train", "gpt2", "--device", "java"));
    arguments.addAll(List.of("--out", folder.resolve("run").toString(), "--master", "local[1]"));
    arguments.addAll(List.of("--set", "data.input=unread.txt"));
    arguments.addAll(List.of(options));
    List<String> command =
        LoggedProcess.java(
            List.of(NOWHERE, "-Dspark.port.maxRetries=1"), Sparkformer.class, arguments);
    Path errors = folder.resolve("errors.txt");
    Process process =
        new ProcessBuilder(command)
            .redirectError(errors.toFile())
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    assertEquals(1, process.waitFor(), () -> "unlike a failure: " + command);
    return Files.readAllLines(errors);
  }
}
