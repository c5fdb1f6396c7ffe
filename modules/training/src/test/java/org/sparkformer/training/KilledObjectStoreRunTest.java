package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkformer.testkit.DyingObjectStore;

/** As {@link KilledRunTest}, where the files of the processes are objects of a store. */
class KilledObjectStoreRunTest {
  private static final int RANKS = 2;
  private static KilledRuns runs;
  @TempDir static Path folder;

  @BeforeAll
  static void train() throws Exception {
    Path objects = Files.createDirectory(folder.resolve("objects"));
    runs = KilledRuns.in(folder, DyingObjectStore.SCHEME + "://store" + objects);
  }

  @Test
  void aRunKilledAgainAndAgainEndsWithTheWeightsOfAnUnbrokenOne() throws Exception {
    for (int deadly : new int[] {3, 11}) {
      assertNotEquals(0, runs.trainUntil(deadly, "killed", RANKS).status(), "step " + deadly);
    }
    runs.assertGoesOn("killed", RANKS, runs.newest("killed"));
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 40, 61, 90})
  void aProcessThatEndsAtAnOperationGoesOnFromTheNewestCheckpoint(int operation) throws Exception {
    assertTrue(
        runs.endsAndGoesOn(operation, "operation-" + operation, RANKS),
        "there is no operation " + operation);
  }

  @Tag("soak")
  @Test
  void atEachOperation() throws Exception {
    int operation = 1;
    while (runs.endsAndGoesOn(operation, "each-" + operation, RANKS)) {
      operation++;
    }
    assertTrue(operation > 90, "only " + operation + " operations");
  }
}
