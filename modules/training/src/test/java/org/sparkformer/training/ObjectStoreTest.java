package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.hadoop.fs.FileAlreadyExistsException;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.testkit.DyingObjectStore;
import org.sparkformer.testkit.StoredObjects;
import org.sparkformer.training.CheckpointFile.Content;
import org.sparkformer.training.CheckpointStore.Guard;
import org.sparkformer.training.configuration.TrainingConfiguration;

/** A run's folder on a store that cannot rename. */
class ObjectStoreTest {
  private static final Path RUN = new Path("objects://store/runs/one");

  @TempDir java.nio.file.Path disk;

  @Test
  void deathAtAnyChangeLeavesTheNewestCommittedCheckpoint() throws Exception {
    StoredObjects objects = objects();
    CheckpointFaults.assertTheNewestCommittedIsRestored(
        fatal -> new DyingObjectStore(objects, fatal), new DyingObjectStore(objects, 0), RUN);
  }

  @Test
  void oneFailureAnywhereLeavesTheNewestCommittedCheckpoint() throws Exception {
    StoredObjects objects = objects();
    CheckpointFaults.assertTheNewestCommittedIsRestored(
        change -> DyingObjectStore.failingOnce(objects, change),
        new DyingObjectStore(objects, 0),
        RUN);
  }

  @Test
  void deathAnywhereInARunLeavesItResumableToTheSameBits() throws Exception {
    try (TokenDataset dataset =
        TinyDataset.open(Files.createDirectory(disk.resolve("data")), 100, 40)) {
      DyingObjectStore immortal = new DyingObjectStore(objects(), 0);
      RunSummary straight = train(dataset, immortal);
      for (int fatal = 1; fatal <= immortal.changes(); fatal++) {
        StoredObjects objects = objects();
        DyingObjectStore dying = new DyingObjectStore(objects, fatal);
        assertThrows(IOException.class, () -> train(dataset, dying), "death at " + fatal);
        RunSummary resumed = train(dataset, new DyingObjectStore(objects, 0));
        assertEquals(straight.weightsSha256(), resumed.weightsSha256(), "death at " + fatal);
        RunFolder folder = folder(objects, 0);
        assertEquals(List.of(2, 3), new CheckpointStore(folder, 2).steps(), "death at " + fatal);
      }
    }
  }

  @Test
  void aReplacedFileIsTheOldOneOrTheNewOneWheneverDeathComes() throws Exception {
    byte[] old = {1, 2, 3};
    byte[] fresh = {4, 5};
    for (int fatal = 1; fatal <= 3; fatal++) {
      StoredObjects objects = objects();
      folder(objects, 0).replace("run.json", old);
      RunFolder dying = folder(objects, fatal);
      assertThrows(IOException.class, () -> dying.replace("run.json", fresh));
      byte[] left = objects.get("/runs/one/run.json");
      assertArrayEquals(fatal < 3 ? old : fresh, left, "death at " + fatal);
      assertNull(objects.get("/runs/one/run.json.tmp"));
    }
  }

  @Test
  void ofTwoWritersOfOneFileTheSecondIsRefused() throws Exception {
    StoredObjects objects = objects();
    byte[] theirs = {7};
    DyingObjectStore store = new DyingObjectStore(objects, 0);
    store.beforePut(() -> objects.put("/runs/one/manifest.json", theirs));
    RunFolder folder = new RunFolder(store, RUN);
    assertThrows(
        FileAlreadyExistsException.class, () -> folder.commit("manifest.json", new byte[] {8, 9}));
    assertArrayEquals(theirs, objects.get("/runs/one/manifest.json"));
  }

  @Test
  void aRequestRepeatedAfterALostAnswerHasSucceeded() throws Exception {
    StoredObjects objects = objects();
    byte[] content = {7, 8};
    DyingObjectStore store = new DyingObjectStore(objects, 0);
    store.beforePut(() -> objects.put("/runs/one/manifest.json", content));
    new RunFolder(store, RUN).commit("manifest.json", content);
    assertArrayEquals(content, objects.get("/runs/one/manifest.json"));
  }

  /** As a snapshot of more than one piece, which the device has overwritten since. */
  @Test
  void whatCanBeWrittenOnceIsKnownAgainAfterALostAnswer() throws Exception {
    byte[] content = {7, 8};
    StoredObjects objects = objects();
    commitWhere(objects, content, onceOnly(content));
    assertArrayEquals(content, objects.get("/runs/one/weights"));
  }

  @Test
  void whatCanBeWrittenOnceIsNotTakenForAnothersOfTheSameLength() throws IOException {
    StoredObjects objects = objects();
    assertThrows(
        FileAlreadyExistsException.class,
        () -> commitWhere(objects, new byte[] {7, 9}, onceOnly(new byte[] {7, 8})));
    assertArrayEquals(new byte[] {7, 9}, objects.get("/runs/one/weights"));
  }

  /** The store shows what was written until then, which must not count as the file. */
  @Test
  void aFileThatBreaksOffIsNotTakenForWhatCameThroughOfIt() throws IOException {
    Content broken =
        stream -> {
          stream.write(7);
          throw new IOException("the device is lost");
        };
    RunFolder folder = folder(objects(), 0);
    IOException failed =
        assertThrows(IOException.class, () -> folder.commit("weights", broken, Guard.SOLE));
    assertEquals("the device is lost", failed.getMessage());
  }

  /** Commits where an object comes to be just before. */
  private static void commitWhere(StoredObjects objects, byte[] there, Content content)
      throws IOException {
    DyingObjectStore store = new DyingObjectStore(objects, 0);
    store.beforePut(() -> objects.put("/runs/one/weights", there));
    new RunFolder(store, RUN).commit("weights", content, Guard.SOLE);
  }

  private static Content onceOnly(byte[] bytes) {
    AtomicBoolean written = new AtomicBoolean();
    return stream -> {
      if (written.getAndSet(true)) {
        throw new IllegalStateException("has passed");
      }
      stream.write(bytes);
    };
  }

  /** Of an attempt that is over, and whose files were cleared away before. */
  @Test
  void aManifestThatComesLateIsNoneOfTheCheckpointsThatAreKept() throws Exception {
    StoredObjects objects = objects();
    CheckpointStore store = new CheckpointStore(folder(objects, 0), 2);
    store.write(2, CheckpointFaults.files(2), Guard.SOLE);
    store.write(4, CheckpointFaults.files(4), Guard.SOLE);
    byte[] manifest = objects.get("/runs/one/checkpoints/step-00000004/manifest.json");
    String late = new String(manifest, StandardCharsets.UTF_8).replaceFirst("4", "5");
    objects.put(
        "/runs/one/checkpoints/step-00000005/manifest.json", late.getBytes(StandardCharsets.UTF_8));
    assertEquals(List.of(2, 4, 5), store.steps());
    store.write(6, CheckpointFaults.files(6), Guard.SOLE);
    assertEquals(List.of(4, 6), store.steps());
  }

  private static RunSummary train(TokenDataset dataset, DyingObjectStore store) throws Exception {
    TrainingConfiguration training =
        TinyRun.training().steps(3).checkpointInterval(1).logInterval(1).evalInterval(0).build();
    TrainingRun run =
        new TrainingRun(
            TinyRun.configuration(training, 0.1), dataset, new RunFolder(store, RUN), true);
    return TinyRun.train(run, 1, TrainingListener.NONE).get(0);
  }

  /** None yet. */
  private StoredObjects objects() throws IOException {
    return new StoredObjects(Files.createTempDirectory(disk, "objects"));
  }

  private static RunFolder folder(StoredObjects objects, int fatal) {
    return new RunFolder(new DyingObjectStore(objects, fatal), RUN);
  }
}
