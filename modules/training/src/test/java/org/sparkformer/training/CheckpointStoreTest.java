package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.training.CheckpointStore.Guard;

class CheckpointStoreTest {
  @TempDir Path folder;

  @Test
  void theNewestAreKept() throws Exception {
    CheckpointStore store = store(folder, DyingFileSystem.at(0));
    for (int step : new int[] {10, 20, 30, 100_000_000}) {
      store.write(step, files(step), Guard.SOLE);
    }
    assertEquals(List.of(30, 100_000_000), store.steps());
    assertEquals(OptionalInt.of(100_000_000), store.newestWhole(message -> {}));
  }

  @Test
  void noCheckpointIsNoError() throws Exception {
    assertEquals(
        OptionalInt.empty(), store(folder, DyingFileSystem.at(0)).newestWhole(message -> {}));
  }

  @Test
  void deathAtAnyChangeLeavesTheNewestCommittedCheckpoint() throws Exception {
    DyingFileSystem immortal = DyingFileSystem.at(0);
    writeThree(store(folder.resolve("immortal"), immortal));
    assertTrue(immortal.changes() > 20);
    for (int fatal = 1; fatal <= immortal.changes(); fatal++) {
      Path run = folder.resolve("death-" + fatal);
      CheckpointStore dying = store(run, DyingFileSystem.at(fatal));
      int committed = writeThreeUntilDeath(dying);
      CheckpointStore next = store(run, DyingFileSystem.at(0));
      next.removeLeftovers(Guard.SOLE);
      int newest = next.newestWhole(message -> {}).orElse(0);
      assertTrue(newest == committed || newest == committed + 1, "death at " + fatal);
      if (newest > 0) {
        byte[] content = next.folder(newest).read("large").orElseThrow();
        assertEquals(text(newest), new String(content, StandardCharsets.UTF_8));
      }
      next.write(newest + 1, files(newest + 1), Guard.SOLE);
      assertEquals(OptionalInt.of(newest + 1), next.newestWhole(message -> {}));
      assertTrue(next.steps().size() <= 2);
    }
  }

  @Test
  void aFlippedByteInAnyFileIsFoundAndTheOneBeforeIsTaken() throws Exception {
    CheckpointStore store = store(folder, DyingFileSystem.at(0));
    store.write(1, files(1), Guard.SOLE);
    store.write(2, files(2), Guard.SOLE);
    for (Path file : filesOf(2)) {
      byte[] whole = Files.readAllBytes(file);
      byte[] damaged = whole.clone();
      damaged[whole.length / 2] ^= 4;
      Files.write(file, damaged);
      List<String> messages = new ArrayList<>();
      assertEquals(OptionalInt.of(1), store.newestWhole(messages::add), file.toString());
      assertTrue(messages.get(0).contains("step-00000002"), messages.toString());
      Files.write(file, whole);
    }
    assertEquals(OptionalInt.of(2), store.newestWhole(message -> {}));
  }

  /** Or it says what it said before: a space more does no harm. */
  @Test
  void everyFlippedByteOfTheManifestIsFound() throws Exception {
    CheckpointStore store = store(folder, DyingFileSystem.at(0));
    store.write(1, files(1), Guard.SOLE);
    store.write(2, files(2), Guard.SOLE);
    Path manifest = folder.resolve("checkpoints/step-00000002/manifest.json");
    byte[] whole = Files.readAllBytes(manifest);
    CheckpointManifest meant = Json.read(whole, CheckpointManifest.class);
    for (int at = 0; at < whole.length; at++) {
      byte[] damaged = whole.clone();
      damaged[at] ^= (byte) (1 << at % 8);
      Files.write(manifest, damaged);
      OptionalInt found = store.newestWhole(message -> {});
      boolean same =
          found.equals(OptionalInt.of(2))
              && Json.read(damaged, CheckpointManifest.class).equals(meant);
      assertTrue(same || found.equals(OptionalInt.of(1)), "byte " + at);
    }
  }

  @Test
  void aMissingAndAShortenedFileAreFound() throws Exception {
    CheckpointStore store = store(folder, DyingFileSystem.at(0));
    store.write(1, files(1), Guard.SOLE);
    Path large = folder.resolve("checkpoints/step-00000001/large");
    Files.write(large, "short".getBytes(StandardCharsets.UTF_8));
    assertThrows(CorruptCheckpointException.class, () -> store.verify(1));
    Files.delete(large);
    assertThrows(CorruptCheckpointException.class, () -> store.newestWhole(message -> {}));
  }

  @Test
  void aWriterThatLostTheRunRemovesNothingAndCommitsNothing() throws Exception {
    CheckpointStore store = store(folder, DyingFileSystem.at(0));
    store.write(1, files(1), Guard.SOLE);
    for (int allowed = 0; allowed < 2; allowed++) {
      AtomicInteger left = new AtomicInteger(allowed);
      Guard guard =
          () -> {
            if (left.getAndDecrement() == 0) {
              throw new IOException("another has the run");
            }
          };
      assertThrows(IOException.class, () -> store.write(2, files(2), guard));
      assertEquals(List.of(1), store.steps());
    }
    assertThrows(
        IOException.class,
        () ->
            store.write(
                1,
                files(1),
                () -> {
                  throw new IOException("another has the run");
                }));
    store.verify(1);
  }

  @Test
  void aDamagedCheckpointDoesNotPushOutAWholeOne() throws Exception {
    CheckpointStore store = store(folder, DyingFileSystem.at(0));
    store.write(1, files(1), Guard.SOLE);
    store.write(9, files(9), Guard.SOLE);
    Files.delete(folder.resolve("checkpoints/step-00000009/large"));
    store.write(2, files(2), Guard.SOLE);
    assertEquals(List.of(1, 2), store.steps());
  }

  private static CheckpointStore store(Path folder, DyingFileSystem fileSystem) {
    org.apache.hadoop.fs.Path path = new org.apache.hadoop.fs.Path(folder.toUri());
    return new CheckpointStore(new RunFolder(fileSystem, path), 2);
  }

  static void writeThree(CheckpointStore store) throws IOException {
    for (int step = 1; step <= 3; step++) {
      store.write(step, files(step), Guard.SOLE);
    }
  }

  /** The last step whose writing returned. */
  static int writeThreeUntilDeath(CheckpointStore store) {
    for (int step = 1; step <= 3; step++) {
      try {
        store.write(step, files(step), Guard.SOLE);
      } catch (IOException died) {
        assertTrue(died.getMessage().startsWith("d"), died.getMessage());
        return step - 1;
      }
    }
    throw new AssertionError("nobody died");
  }

  static List<CheckpointFile> files(int step) {
    return List.of(
        CheckpointFile.of("small", new byte[] {1, 2, 3}),
        CheckpointFile.of("large", text(step).getBytes(StandardCharsets.UTF_8)));
  }

  static String text(int step) {
    return ("the state of step " + step + "; ").repeat(500);
  }

  private List<Path> filesOf(int step) throws IOException {
    try (Stream<Path> files = Files.list(folder.resolve("checkpoints/step-%08d".formatted(step)))) {
      return files.toList();
    }
  }
}
