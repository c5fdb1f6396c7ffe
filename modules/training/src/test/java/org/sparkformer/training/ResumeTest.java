package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkformer.collective.CollectiveException;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.models.ModelConfiguration;
import org.sparkformer.models.ParameterLayout;
import org.sparkformer.models.huggingface.WeightFiles;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.reference.JavaBackend;
import org.sparkformer.training.configuration.TrainingConfiguration;

class ResumeTest {
  private static final TrainingConfiguration TRAINING =
      TinyRun.training().steps(7).checkpointInterval(2).logInterval(1).build();

  @TempDir Path folder;
  private TokenDataset dataset;

  @BeforeEach
  void buildDataset() throws Exception {
    dataset = TinyDataset.open(Files.createDirectory(folder.resolve("data")), 100, 40);
  }

  @AfterEach
  void close() throws Exception {
    dataset.close();
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "3, 2", "1, 4", "6, 1", "2, 5"})
  void aStoppedRunEndsWithTheBitsOfAnUnbrokenOne(int before, int after) throws Exception {
    RunSummary straight = train("straight", TRAINING, 1);
    assertThrows(IllegalStateException.class, () -> stop("broken", 5, before));
    List<String> messages = new ArrayList<>();
    RunSummary resumed =
        TinyRun.train(run("broken", TRAINING, true), after, messages(messages)).get(0);
    assertEquals(straight.weightsSha256(), resumed.weightsSha256());
    assertEquals(straight.loss(), resumed.loss());
    assertEquals(straight.valLoss(), resumed.valLoss());
    assertTrue(messages.get(0).contains("step-00000004"), messages.toString());
    String weights = "checkpoints/step-00000007/model.safetensors";
    assertArrayEquals(
        Files.readAllBytes(folder.resolve("straight").resolve(weights)),
        Files.readAllBytes(folder.resolve("broken").resolve(weights)));
    assertTrue(moments("straight").sameAs(moments("broken")));
    assertEquals(steps("straight"), steps("broken"));
    assertEquals(state("straight"), state("broken"));
  }

  @Test
  void aRunGoesOnWithTheSameBitsOnFourThenTwoThenThreeThenOneRank() throws Exception {
    RunSummary straight = train("straight", TRAINING, 1);
    assertThrows(IllegalStateException.class, () -> stop("moved", 3, 4));
    assertThrows(IllegalStateException.class, () -> stop("moved", 5, 2));
    assertThrows(IllegalStateException.class, () -> stop("moved", 7, 3));
    List<String> messages = new ArrayList<>();
    RunSummary moved = TinyRun.train(run("moved", TRAINING, true), 1, messages(messages)).get(0);
    assertTrue(messages.get(0).contains("step-00000006"), messages.toString());
    assertEquals(straight.weightsSha256(), moved.weightsSha256());
    assertTrue(moments("straight").sameAs(moments("moved")));
    assertEquals(steps("straight"), steps("moved"));
  }

  @Test
  void everyRankWritesItsOwnPartOfTheMoments() throws Exception {
    train("run", TRAINING, 3);
    List<Long> sizes = new ArrayList<>();
    for (int rank = 0; rank < 3; rank++) {
      sizes.add(
          Files.size(
              folder.resolve("run/checkpoints/step-00000007/" + OptimizerShard.fileName(rank, 3))));
    }
    ParameterLayout layout = TinyRun.configuration(TRAINING, 0.1).model().layout();
    long all = sizes.stream().mapToLong(Long::longValue).sum();
    assertTrue(all >= 8 * layout.size() && all < 8 * layout.size() + 3 * 1000, "bytes " + all);
  }

  @Test
  void aRunIsResumedFromACheckpointWithWholeMoments() throws Exception {
    RunSummary straight = train("straight", TRAINING, 1);
    assertThrows(IllegalStateException.class, () -> stop("old", 5, 1));
    rewriteWithWholeMoments(4);
    RunSummary resumed = train("old", TRAINING, 3);
    assertEquals(straight.weightsSha256(), resumed.weightsSha256());
    assertTrue(moments("straight").sameAs(moments("old")));
  }

  /** As earlier versions wrote it: a file for each moment, a tensor for each parameter. */
  private void rewriteWithWholeMoments(int step) throws Exception {
    CheckpointStore store = new CheckpointStore(output("old"), 1);
    ModelConfiguration model = TinyRun.configuration(TRAINING, 0.1).model();
    SavedMoments moments = SavedMoments.of(folder.resolve("old").toUri().toString(), step, model);
    List<CheckpointFile> files = new ArrayList<>();
    for (String name : store.files(step)) {
      if (!OptimizerShard.isShard(name)) {
        files.add(CheckpointFile.of(name, store.folder(step).read(name).orElseThrow()));
      }
    }
    files.add(whole("optimizer-first-moment.safetensors", model, moments.first()));
    files.add(whole("optimizer-second-moment.safetensors", model, moments.second()));
    store.write(step, files, CheckpointStore.Guard.SOLE);
  }

  private static CheckpointFile whole(String name, ModelConfiguration model, float[] flat)
      throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (Backend backend = new JavaBackend(1);
        Tensor tensor = backend.floats(flat.length)) {
      backend.write(tensor, flat);
      WeightFiles.write(backend, model.layout(), tensor, name, bytes);
    }
    return CheckpointFile.of(name, bytes.toByteArray());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void deathAnywhereInARunLeavesItResumable(int ranks) throws Exception {
    TrainingConfiguration training =
        TRAINING.toBuilder().steps(3).checkpointInterval(1).evalInterval(0).build();
    RunSummary straight = train("straight", training, 1);
    DyingFileSystem immortal = DyingFileSystem.at(0);
    TinyRun.train(run("immortal", training, immortal), ranks, TrainingListener.NONE);
    for (int fatal = 1; fatal <= immortal.changes(); fatal += 17) {
      String name = "death-" + fatal;
      TrainingRun dying = run(name, training, DyingFileSystem.at(fatal));
      assertDies(dying, ranks);
      RunSummary resumed = train(name, training, 1);
      assertEquals(straight.weightsSha256(), resumed.weightsSha256(), name);
      assertEquals(steps("straight"), steps(name), name);
    }
  }

  /** Whoever dies first may take the others along before they notice anything of their own. */
  private static void assertDies(TrainingRun dying, int ranks) {
    Exception death =
        assertThrows(Exception.class, () -> TinyRun.train(dying, ranks, TrainingListener.NONE));
    assertTrue(
        death instanceof IOException || ranks > 1 && death instanceof CollectiveException,
        death.toString());
  }

  @Test
  void aFlippedByteInAnyFileOfTheNewestCheckpointIsFoundAndTheOneBeforeIsTaken() throws Exception {
    train("run", TRAINING, 3);
    CheckpointStore store = new CheckpointStore(output("run"), 2);
    List<String> files = new ArrayList<>(store.files(7));
    assertEquals(3, files.stream().filter(OptimizerShard::isShard).count(), files.toString());
    files.add(CheckpointManifest.FILE_NAME);
    Random random = new Random(5);
    for (String name : files) {
      Path file = folder.resolve("run/checkpoints/step-00000007").resolve(name);
      byte[] whole = Files.readAllBytes(file);
      byte[] damaged = whole.clone();
      damaged[random.nextInt(whole.length)] ^= 4;
      Files.write(file, damaged);
      List<String> messages = new ArrayList<>();
      assertEquals(OptionalInt.of(6), store.newestWhole(messages::add), name);
      assertTrue(messages.get(0).contains("step-00000007/"), messages.toString());
      Files.write(file, whole);
    }
    assertEquals(OptionalInt.of(7), store.newestWhole(message -> {}));
  }

  @Test
  void aDamagedCheckpointIsPassedOverAloud() throws Exception {
    RunSummary straight = train("run", TRAINING, 1);
    Path damaged = folder.resolve("run/checkpoints/step-00000007/model.safetensors");
    byte[] bytes = Files.readAllBytes(damaged);
    bytes[bytes.length - 3] ^= 1;
    Files.write(damaged, bytes);
    List<String> messages = new ArrayList<>();
    RunSummary again = TinyRun.train(run("run", TRAINING, true), 2, messages(messages)).get(0);
    assertTrue(messages.get(0).contains("step-00000007/model.safetensors"), messages.toString());
    assertTrue(messages.get(1).contains("step-00000006"), messages.toString());
    assertEquals(straight.weightsSha256(), again.weightsSha256());
  }

  @Test
  void aFinishedRunIsSummedUpAgainWithoutTraining() throws Exception {
    RunSummary first = train("run", TRAINING, 1);
    Files.delete(folder.resolve("run/run.json"));
    List<StepMetrics> trained = new ArrayList<>();
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void onStep(StepMetrics metrics) {
            trained.add(metrics);
          }
        };
    RunSummary second = TinyRun.train(run("run", TRAINING, true), 1, listener).get(0);
    assertEquals(List.of(), trained);
    assertEquals(first.weightsSha256(), second.weightsSha256());
    assertEquals(first.valLoss(), second.valLoss());
    assertTrue(Files.exists(folder.resolve("run/run.json")));
  }

  @Test
  void aChangedKeyIsRefusedByName() throws Exception {
    train("run", TRAINING, 1);
    TrainingConfiguration longer = TRAINING.toBuilder().steps(9).build();
    String message =
        assertThrows(IllegalArgumentException.class, () -> train("run", longer, 1)).getMessage();
    assertTrue(message.contains("training.steps is 9 now, but the run began with 7"), message);
  }

  @Test
  void keysThatChangeNoNumberMayDiffer() throws Exception {
    RunSummary straight = train("straight", TRAINING, 1);
    assertThrows(IllegalStateException.class, () -> stop("broken", 5, 1));
    TrainingConfiguration other =
        TRAINING.toBuilder().logInterval(3).keepCheckpoints(1).evalInterval(0).build();
    assertEquals(straight.weightsSha256(), train("broken", other, 1).weightsSha256());
  }

  @Test
  void otherTokensAreRefused() throws Exception {
    train("run", TRAINING, 1);
    try (TokenDataset other =
        TinyDataset.open(Files.createDirectory(folder.resolve("other")), 101, 40)) {
      TrainingRun run =
          new TrainingRun(TinyRun.configuration(TRAINING, 0.1), other, output("run"), true);
      String message =
          assertThrows(
                  IllegalArgumentException.class,
                  () -> TinyRun.train(run, 1, TrainingListener.NONE))
              .getMessage();
      assertTrue(message.contains("holds other tokens"), message);
    }
  }

  @Test
  void aCheckpointThatCannotBeWrittenEndsTrainingWithTheReason() throws Exception {
    Files.createDirectory(folder.resolve("run"));
    Files.createFile(folder.resolve("run/checkpoints"));
    String message = assertThrows(IOException.class, () -> train("run", TRAINING, 2)).getMessage();
    assertTrue(message.startsWith("cannot write the checkpoint of step 2 to "), message);
  }

  @Test
  void anInterruptEndsTrainingAfterTheStep() {
    TrainingListener interrupting =
        new TrainingListener() {
          @Override
          public void onStep(StepMetrics metrics) {
            if (metrics.step() == 3) {
              Thread.currentThread().interrupt();
            }
          }
        };
    assertThrows(
        InterruptedException.class,
        () -> TinyRun.train(run("run", TRAINING, true), 1, interrupting));
    assertTrue(Files.notExists(folder.resolve("run/run.json")));
  }

  @Test
  void aRankWhoseAttemptIsOverLeavesTheFolderAlone() throws Exception {
    train("run", TRAINING.toBuilder().steps(7).build(), 1);
    Files.delete(folder.resolve("run/run.json"));
    Path leftover = Files.createDirectory(folder.resolve("run/checkpoints/step-00000009"));
    byte[] metrics = Files.readAllBytes(folder.resolve("run/metrics.jsonl"));
    for (int allowed = 0; allowed < 2; allowed++) {
      TrainingListener listener = refusedAfter(allowed);
      assertThrows(IOException.class, () -> TinyRun.train(run("run", TRAINING, true), 1, listener));
      assertEquals(allowed == 0, Files.exists(leftover));
      assertArrayEquals(metrics, Files.readAllBytes(folder.resolve("run/metrics.jsonl")));
      assertTrue(Files.notExists(folder.resolve("run/run.json")));
    }
  }

  private static TrainingListener refusedAfter(int allowed) {
    AtomicInteger left = new AtomicInteger(allowed);
    return new TrainingListener() {
      @Override
      public void beforeCommit() throws IOException {
        if (left.getAndDecrement() <= 0) {
          throw new IOException("another attempt has the run");
        }
      }
    };
  }

  @Test
  void aFreshStartInAFolderWithCheckpointsIsRefused() throws Exception {
    train("run", TRAINING, 1);
    TrainingRun fresh = run("run", TRAINING, false);
    assertThrows(
        IllegalArgumentException.class, () -> TinyRun.train(fresh, 1, TrainingListener.NONE));
  }

  private RunSummary train(String name, TrainingConfiguration training, int ranks)
      throws Exception {
    return TinyRun.train(run(name, training, true), ranks, TrainingListener.NONE).get(0);
  }

  private void stop(String name, int step, int ranks) throws Exception {
    TrainingListener stopping =
        new TrainingListener() {
          @Override
          public void onStep(StepMetrics metrics) {
            if (metrics.step() == step) {
              throw new IllegalStateException("stopped");
            }
          }
        };
    TinyRun.train(run(name, TRAINING, true), ranks, stopping);
  }

  private static TrainingListener messages(List<String> messages) {
    return new TrainingListener() {
      @Override
      public void onMessage(String message) {
        messages.add(message);
      }
    };
  }

  private TrainingRun run(String name, TrainingConfiguration training, boolean resume)
      throws Exception {
    return new TrainingRun(TinyRun.configuration(training, 0.1), dataset, output(name), resume);
  }

  private TrainingRun run(String name, TrainingConfiguration training, DyingFileSystem dying)
      throws Exception {
    RunFolder folder = new RunFolder(dying, output(name).path());
    return new TrainingRun(TinyRun.configuration(training, 0.1), dataset, folder, true);
  }

  private RunFolder output(String name) throws Exception {
    return RunFolder.of(new Configuration(false), folder.resolve(name).toUri().toString());
  }

  private SavedMoments moments(String name) throws Exception {
    return SavedMoments.of(
        folder.resolve(name).toUri().toString(), 7, TinyRun.configuration(TRAINING, 0.1).model());
  }

  /** Position, seed and losses of the last checkpoint: all that differs is the time it took. */
  private CheckpointState state(String name) throws Exception {
    Path file = folder.resolve(name).resolve("checkpoints/step-00000007/state.json");
    CheckpointState state = Json.read(Files.readAllBytes(file), CheckpointState.class);
    return new CheckpointState(
        state.progress().withWallSeconds(0), state.nextSample(), state.seed(), state.dataset());
  }

  private List<String> steps(String name) throws Exception {
    List<String> steps = new ArrayList<>();
    for (String line : Files.readAllLines(folder.resolve(name).resolve("metrics.jsonl"))) {
      var json = Json.tree(line.getBytes());
      steps.add(json.get("step") + (json.has("loss") ? " loss " + json.get("loss") : " evaluated"));
    }
    return steps;
  }
}
