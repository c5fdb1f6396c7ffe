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
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.testkit.DyingFileSystem;
import org.sparkformer.training.CheckpointStore.Guard;

class CheckpointStoreTest {
  @TempDir Path folder;

  /** As after a checkpoint that a run writes when it is told to stop. */
  @Test
  void whatTheReachAsksForStaysThoughNewerOnesLieCloser() throws Exception {
    RunFolder run =
        new RunFolder(DyingFileSystem.at(0), new org.apache.hadoop.fs.Path(folder.toUri()));
    CheckpointStore reaching = new CheckpointStore(run, 2, 25);
    for (int step : new int[] {50, 75, 100, 125, 126, 127}) {
      reaching.write(step, files(step), Guard.SOLE);
    }
    assertEquals(List.of(100, 126, 127), reaching.steps());
    reaching.write(150, files(150), Guard.SOLE);
    assertEquals(List.of(100, 127, 150), reaching.steps());
    reaching.write(175, files(175), Guard.SOLE);
    assertEquals(List.of(150, 175), reaching.steps());
  }

  @Test
  void theNewestAreKept() throws Exception {
    CheckpointStore store = store(folder, DyingFileSystem.at(0));
    for (int step : new int[] {10, 20, 30, 100_000_000}) {
      store.write(step, files(step), Guard.SOLE);
    }
    assertEquals(List.of(30, 100_000_000), store.steps());
    assertEquals(OptionalInt.of(100_000_000), store.newestWhole(message -> {}));
  }

  /** Hadoop's paths are URIs, of which Java's files take none of such letters. */
  @Test
  @EnabledIfSystemProperty(
      named = "sun.jnu.encoding",
      matches = "(?i)utf-?8",
      disabledReason = "such names cannot be made here")
  void aFolderMayHaveAnyName() throws Exception {
    Path named = Files.createDirectory(folder.resolve("B\u00fccher"));
    RunFolder run =
        new RunFolder(
            DyingFileSystem.at(0), new org.apache.hadoop.fs.Path(named.resolve("run").toString()));
    CheckpointStore store = new CheckpointStore(run, 2);
    store.write(1, files(1), Guard.SOLE);
    assertEquals(OptionalInt.of(1), store.newestWhole(message -> {}));
  }

  @Test
  void noCheckpointIsNoError() throws Exception {
    assertEquals(
        OptionalInt.empty(), store(folder, DyingFileSystem.at(0)).newestWhole(message -> {}));
  }

  @Test
  void deathAtAnyChangeLeavesTheNewestCommittedCheckpoint() throws Exception {
    CheckpointFaults.assertTheNewestCommittedIsRestored(
        DyingFileSystem::at,
        DyingFileSystem.local(),
        new org.apache.hadoop.fs.Path(folder.toUri()));
  }

  @Test
  void oneFailureAnywhereLeavesTheNewestCommittedCheckpoint() throws Exception {
    CheckpointFaults.assertTheNewestCommittedIsRestored(
        operation -> DyingFileSystem.failingOnce(DyingFileSystem.local(), operation),
        DyingFileSystem.local(),
        new org.apache.hadoop.fs.Path(folder.toUri()));
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

  @Test
  void nothingIsRemovedOnAccountOfACheckpointThatIsNotToBeSeen() throws Exception {
    CheckpointStore store = store(folder, DyingFileSystem.at(0));
    store.write(1, files(1), Guard.SOLE);
    store.write(2, files(2), Guard.SOLE);
    store.prune(3, Guard.SOLE);
    assertEquals(List.of(1, 2), store.steps());
  }

  private static CheckpointStore store(Path folder, DyingFileSystem fileSystem) {
    org.apache.hadoop.fs.Path path = new org.apache.hadoop.fs.Path(folder.toUri());
    return new CheckpointStore(new RunFolder(fileSystem, path), 2);
  }

  private static List<CheckpointFile> files(int step) {
    return CheckpointFaults.files(step);
  }

  private List<Path> filesOf(int step) throws IOException {
    try (Stream<Path> files = Files.list(folder.resolve("checkpoints/step-%08d".formatted(step)))) {
      return files.toList();
    }
  }
}
