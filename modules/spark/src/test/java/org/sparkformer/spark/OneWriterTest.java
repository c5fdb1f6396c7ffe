package org.sparkformer.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Several drivers, each a process, and one output folder. */
class OneWriterTest {
  private static final String LOCAL = "local[2]";
  @TempDir static Path folder;

  @BeforeAll
  static void trainStraight() throws Exception {
    TinyRun.text(folder);
    DriverProcess straight = start("straight", "straight", LOCAL);
    assertEquals(0, straight.exitCode(), straight::toString);
  }

  @Test
  void oneOfTwoRunsWinsAndAThirdGoesOnWhenItIsKilled() throws Exception {
    List<DriverProcess> both = List.of(start("one", "a", LOCAL), start("one", "b", LOCAL));
    while (both.stream().allMatch(DriverProcess::isAlive)) {
      Thread.sleep(10);
    }
    DriverProcess loser = both.get(both.get(0).isAlive() ? 1 : 0);
    DriverProcess winner = both.get(both.get(0).isAlive() ? 0 : 1);
    assertEquals(1, loser.exitCode());
    assertEquals(0, loser.lastStep(), loser.log());
    assertEquals(
        1,
        loser.messages().stream()
            .filter(line -> line.startsWith("failed: ") && line.contains("is being written by"))
            .count(),
        loser.log());
    winner.awaitStep(20);
    winner.kill();
    DriverProcess third = start("one", "c", LOCAL);
    assertEquals(0, third.exitCode(), third.log());
    assertSameAsStraight("one");
  }

  @Test
  void aPausedRunThatWasTakenOverCommitsNothingMore() throws Exception {
    DriverProcess paused = start("pause", "paused", LOCAL);
    paused.awaitStep(30);
    paused.signal("STOP");
    DriverProcess next = start("pause", "next", LOCAL);
    assertEquals(0, next.exitCode(), next.log());
    assertTrue(next.log().contains("waiting up to 10 s for a sign of life"), next.log());
    assertSameAsStraight("pause");
    Map<String, String> before = contents("pause");
    paused.signal("CONT");
    assertEquals(1, paused.exitCode(), paused.log());
    assertEquals(
        1,
        paused.messages().stream()
            .filter(line -> line.contains("is no longer this run's to write"))
            .count(),
        paused.log());
    assertEquals(before, contents("pause"));
  }

  /** The kind of cluster, and the step at which the signal is sent. */
  @ParameterizedTest
  @CsvSource({"local[2], 47", "'local-cluster[2,1,1024]', 83"})
  void aRunToldToStopWritesACheckpointAndLosesNoStep(String master, int step) throws Exception {
    String run = "stop-" + step;
    DriverProcess told = start(run, run, master);
    told.awaitStep(step);
    told.signal("TERM");
    assertEquals(143, told.exitCode(), told.log());
    int last = told.lastStep();
    String ending =
        "stopped by a signal after step %d of %d, whose checkpoint is written; the same command goes on from there"
            .formatted(last, DriverProcess.STEPS);
    assertTrue(last >= step && last < DriverProcess.STEPS, told.log());
    assertTrue(told.messages().contains(ending), told.log());
    assertTrue(Files.notExists(folder.resolve(run).resolve("run.json")));
    DriverProcess again = start(run, run + "-again", master);
    assertEquals(0, again.exitCode(), again.log());
    assertTrue(again.messages().contains("start " + last), again.log());
    assertTrue(!again.log().contains("sign of life"), again.log());
    assertSameAsStraight(run);
  }

  private static DriverProcess start(String run, String name, String master) throws Exception {
    return DriverProcess.start(folder, run, name, master);
  }

  private static void assertSameAsStraight(String run) throws Exception {
    assertEquals(
        DriverProcess.weights(folder.resolve("straight")),
        DriverProcess.weights(folder.resolve(run)));
    LastCheckpoint.of(folder.resolve("straight"))
        .assertSameAs(LastCheckpoint.of(folder.resolve(run)));
  }

  /** All files of a run; claims and signs of life are not results. */
  private static Map<String, String> contents(String run) throws Exception {
    Map<String, String> contents = new TreeMap<>();
    try (Stream<Path> files = Files.walk(folder.resolve(run))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String name = folder.resolve(run).relativize(file).toString();
        if (!name.startsWith("writer/")) {
          contents.put(name, Files.readString(file, StandardCharsets.ISO_8859_1));
        }
      }
    }
    return contents;
  }
}
