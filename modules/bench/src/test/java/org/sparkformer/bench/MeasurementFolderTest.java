package org.sparkformer.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkformer.testkit.LoggedProcess;

/** Nothing stays of a measurement's folder, nor of what writes into it. */
class MeasurementFolderTest {
  private static final Duration LONGEST = Duration.ofSeconds(60);

  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"TERM", "INT"})
  void aSignalThatEndsTheProcessEndsTheWriterAndDeletesTheFolder(String signal) throws Exception {
    List<String> command = LoggedProcess.java(List.of(), Owner.class, List.of());
    try (LoggedProcess owner =
        LoggedProcess.start(folder.resolve("owner.log"), Map.of(), command)) {
      Path written = Path.of(owner.await("writing (\\S+)\\n", LONGEST).group(1));
      List<ProcessHandle> writers = owner.descendants().toList();
      assertEquals(1, writers.size());
      assertTrue(Files.exists(written));
      owner.signal(signal);
      owner.exitCode(LONGEST);
      assertFalse(Files.exists(written.getParent()), owner.log());
      assertFalse(writers.get(0).isAlive());
    }
  }

  @Test
  void theEndOfTheMeasurementDoesToo() throws Exception {
    Path path;
    try (MeasurementFolder measured = MeasurementFolder.create("bench-test")) {
      path = Files.createDirectories(measured.path().resolve("run/checkpoints"));
    }
    assertFalse(Files.exists(path.getParent().getParent()));
  }

  /** Has a process write file after file. */
  static final class Owner {
    private Owner() {}

    public static void main(String[] arguments) throws Exception {
      try (MeasurementFolder measured = MeasurementFolder.create("bench-test")) {
        Path written = measured.path().resolve("0");
        String writing =
            "i=0; while :; do : >'%s'/$i; i=$(((i + 1) %% 100)); done".formatted(measured.path());
        LoggedProcess writer =
            LoggedProcess.start(
                measured.path().resolve("writer.log"), Map.of(), List.of("sh", "-c", writing));
        measured.writtenBy(writer::close);
        while (!Files.exists(written)) {
          Thread.sleep(10);
        }
        System.out.println("writing " + written);
        writer.exitCode(Duration.ofMinutes(10));
      }
    }
  }
}
