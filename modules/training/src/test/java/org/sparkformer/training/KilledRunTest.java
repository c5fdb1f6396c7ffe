package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs in processes of their own, which end at a bad moment or find their files damaged. */
class KilledRunTest {
  private static KilledRuns runs;
  @TempDir static Path folder;

  @BeforeAll
  static void train() throws Exception {
    runs = KilledRuns.in(folder, folder.toUri().toString());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void aRunKilledAgainAndAgainEndsWithTheWeightsOfAnUnbrokenOne(int ranks) throws Exception {
    String run = "killed-" + ranks;
    for (int deadly : new int[] {3, 11}) {
      assertNotEquals(0, runs.trainUntil(deadly, run, ranks).status(), "survived step " + deadly);
    }
    runs.assertGoesOn(run, ranks, runs.newest(run));
  }

  /** Half of what the operation writes is on the disk then. */
  @ParameterizedTest
  @ValueSource(ints = {3, 29, 47, 60, 71, 84})
  void aProcessThatEndsAtAFileOperationGoesOnFromTheNewestCheckpoint(int operation)
      throws Exception {
    String run = "operation-" + operation;
    assertTrue(runs.endsAndGoesOn(operation, run, 2), run);
  }

  @Tag("soak")
  @Test
  void atEachFileOperation() throws Exception {
    int operation = 1;
    while (runs.endsAndGoesOn(operation, "each-" + operation, 2)) {
      operation++;
    }
    assertTrue(operation > 84, "only " + operation + " operations");
  }

  /** Each in a copy of what one killed process has left. */
  @Test
  void aProcessThatFindsAFlippedByteInAnyFileGoesOnFromTheCheckpointBefore() throws Exception {
    assertNotEquals(0, runs.trainUntil(11, "cut-off", 1).status());
    List<Integer> steps = runs.checkpoints("cut-off");
    String newest = "checkpoints/step-%08d".formatted(steps.get(steps.size() - 1));
    List<String> files = files(folder.resolve("cut-off").resolve(newest));
    assertEquals(
        List.of(
            "config.json",
            "configuration.json",
            "manifest.json",
            "metrics.jsonl",
            "model.safetensors",
            "optimizer-00000-of-00001.safetensors",
            "state.json",
            "tokenizer.json"),
        files);
    for (String file : files) {
      String run = "flipped-" + file;
      copy(folder.resolve("cut-off"), folder.resolve(run));
      flip(folder.resolve(run).resolve(newest).resolve(file));
      runs.assertGoesOn(run, 1, steps.get(steps.size() - 2));
    }
  }

  private static List<String> files(Path folder) throws IOException {
    try (Stream<Path> all = Files.list(folder)) {
      return all.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private static void copy(Path from, Path to) throws IOException {
    List<Path> all = new ArrayList<>();
    try (Stream<Path> tree = Files.walk(from)) {
      tree.forEach(all::add);
    }
    for (Path path : all) {
      Files.copy(path, to.resolve(from.relativize(path)));
    }
  }

  private static void flip(Path file) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length / 2] ^= 1;
    Files.write(file, bytes);
  }
}
