package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.OptionalInt;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.sparkformer.testkit.CountedChanges;
import org.sparkformer.training.CheckpointStore.Guard;

/** Checkpoints written with a fault at each operation in turn, and what is restored then. */
final class CheckpointFaults {
  private static final int CHECKPOINTS = 3;
  private static final int KEPT = 2;

  private CheckpointFaults() {}

  /** A file system that fails at an operation, from 1. */
  interface Faulty<F extends FileSystem & CountedChanges> {
    F at(int operation) throws IOException;
  }

  /** As below, with every operation. */
  static <F extends FileSystem & CountedChanges> void assertTheNewestCommittedIsRestored(
      Faulty<F> faulty, FileSystem whole, Path folder) throws IOException {
    assertTheNewestCommittedIsRestored(faulty, whole, folder, 1);
  }

  /**
   * Whatever fails, the newest committed checkpoint is the one that is restored, and the next one
   * can be written. Ends with the first fault that comes too late to hit anything.
   *
   * @param whole the same place without faults
   * @param stride from one operation that fails to the next
   */
  static <F extends FileSystem & CountedChanges> void assertTheNewestCommittedIsRestored(
      Faulty<F> faulty, FileSystem whole, Path folder, int stride) throws IOException {
    int fault = 1 - stride;
    int operations;
    do {
      fault += stride;
      Path run = new Path(folder, "fault-" + fault);
      F fileSystem = faulty.at(fault);
      int committed = writeUntilItFails(store(fileSystem, run), fileSystem::beforeCommit);
      operations = fileSystem.changes();
      assertGoesOn(store(whole, run), committed, "fault " + fault);
    } while (operations >= fault);
    assertTrue(fault > 20, "only " + fault + " faults");
  }

  /** The last step whose writing returned. */
  private static int writeUntilItFails(CheckpointStore store, Guard guard) {
    for (int step = 1; step <= CHECKPOINTS; step++) {
      try {
        store.write(step, files(step), guard);
      } catch (IOException failed) {
        return step - 1;
      }
    }
    return CHECKPOINTS;
  }

  private static void assertGoesOn(CheckpointStore next, int committed, String fault)
      throws IOException {
    next.removeLeftovers(Guard.SOLE);
    int newest = next.newestWhole(message -> {}).orElse(0);
    boolean failedAfterItsCommit = committed < CHECKPOINTS && newest == committed + 1;
    assertTrue(newest == committed || failedAfterItsCommit, fault + ": " + newest);
    if (newest > 0) {
      byte[] content = next.folder(newest).read("large").orElseThrow();
      assertEquals(text(newest), new String(content, StandardCharsets.UTF_8), fault);
    }
    next.write(newest + 1, files(newest + 1), Guard.SOLE);
    assertEquals(OptionalInt.of(newest + 1), next.newestWhole(message -> {}), fault);
    assertTrue(next.steps().size() <= KEPT, fault);
  }

  private static CheckpointStore store(FileSystem fileSystem, Path run) {
    return new CheckpointStore(new RunFolder(fileSystem, run), KEPT);
  }

  static List<CheckpointFile> files(int step) {
    return List.of(
        CheckpointFile.of("small", new byte[] {1, 2, 3}),
        CheckpointFile.of("large", text(step).getBytes(StandardCharsets.UTF_8)));
  }

  private static String text(int step) {
    return ("the state of step " + step + "; ").repeat(500);
  }
}
