package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkformer.testkit.DyingFileSystem;
import org.sparkformer.testkit.DyingObjectStore;
import org.sparkformer.testkit.StoredObjects;
import org.sparkformer.training.CheckpointStore.Guard;

/** Going on from a checkpoint, where the file system fails meanwhile. */
class FailedRestoreTest extends TinyRuns {

  @Test
  void aFailureAtAnyOperationOfALocalDiskLosesNothing() throws Exception {
    assertAFailureLosesNothing(1);
  }

  @Test
  @Tag("soak")
  void aFailureAtAnyOperationOfTwoRanksLosesNothing() throws Exception {
    assertAFailureLosesNothing(2);
  }

  private void assertAFailureLosesNothing(int ranks) throws Exception {
    FileSystem disk = DyingFileSystem.local();
    RestoreFaults.assertNothingIsLost(
        dataset, operation -> DyingFileSystem.failingOnce(disk, operation), disk, runs(), ranks);
  }

  @Test
  void aFailureAtAnyOperationOfAnObjectStoreLosesNothing() throws Exception {
    StoredObjects objects = new StoredObjects(folder);
    RestoreFaults.assertNothingIsLost(
        dataset,
        operation -> DyingObjectStore.failingOnce(objects, operation),
        new DyingObjectStore(objects, 0),
        new org.apache.hadoop.fs.Path("objects://store/runs"),
        1);
  }

  @Test
  void deathAtAnyChangeLosesNothing() throws Exception {
    RestoreFaults.assertNothingIsLost(
        dataset, DyingFileSystem::at, DyingFileSystem.local(), runs(), 1);
  }

  private org.apache.hadoop.fs.Path runs() {
    return new org.apache.hadoop.fs.Path(folder.resolve("runs").toString());
  }

  /** As where a file server is away for a moment: the newest is there, and cannot be opened. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "checkpoints",
        "checkpoints/step-00000002",
        "checkpoints/step-00000002/manifest.json",
        "checkpoints/step-00000002/large"
      })
  void whatCannotBeOpenedIsNotTakenForWhatIsNotThere(String name) throws Exception {
    CheckpointStore store = new CheckpointStore(output("run"), 2);
    store.write(1, CheckpointFaults.files(1), Guard.SOLE);
    store.write(2, CheckpointFaults.files(2), Guard.SOLE);
    Path hidden = folder.resolve("run").resolve(name);
    Path aside = Files.move(hidden, folder.resolve("aside"));
    Files.createSymbolicLink(hidden, hidden.getFileName());
    IOException failed = assertThrows(IOException.class, () -> restore(store));
    assertFalse(failed instanceof CorruptCheckpointException, failed::toString);
    assertInstanceOf(
        java.nio.file.FileSystemException.class, failed, () -> "not the disk's: " + failed);
    Files.delete(hidden);
    Files.move(aside, hidden);
    assertEquals(OptionalInt.of(2), restore(store));
  }

  private static OptionalInt restore(CheckpointStore store) throws IOException {
    store.removeLeftovers(Guard.SOLE);
    return store.newestWhole(message -> {});
  }
}
