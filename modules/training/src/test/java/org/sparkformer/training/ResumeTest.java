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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkformer.collective.CollectiveException;
import org.sparkformer.models.ModelConfiguration;
import org.sparkformer.models.ParameterLayout;
import org.sparkformer.models.huggingface.WeightFiles;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.reference.JavaBackend;
import org.sparkformer.testkit.DyingFileSystem;
import org.sparkformer.training.configuration.RunConfiguration;
import org.sparkformer.training.configuration.TrainingConfiguration;

/** A run that goes on from a checkpoint ends as if it had never stopped. */
class ResumeTest extends TinyRuns {
  private static final TrainingConfiguration TRAINING =
      TinyRun.training().steps(7).checkpointInterval(2).logInterval(1).build();
  private static final RunConfiguration CONFIGURATION = TinyRun.configuration(TRAINING, 0.1);

  @ParameterizedTest
  @CsvSource({"1, 1", "3, 2", "1, 4", "6, 1", "2, 5"})
  void aStoppedRunEndsWithTheBitsOfAnUnbrokenOne(int before, int after) throws Exception {
    RunSummary straight = train("straight", CONFIGURATION, 1);
    assertThrows(IllegalStateException.class, () -> stop("broken", 5, before));
    List<String> messages = new ArrayList<>();
    RunSummary resumed =
        TinyRun.train(run("broken", CONFIGURATION), after, messages(messages)).get(0);
    assertEquals(straight.weightsSha256(), resumed.weightsSha256());
    assertEquals(straight.loss(), resumed.loss());
    assertEquals(straight.valLoss(), resumed.valLoss());
    assertTrue(messages.get(0).contains("step-00000004"), messages.toString());
    String weights = "checkpoints/step-00000007/model.safetensors";
    assertArrayEquals(
        Files.readAllBytes(folder.resolve("straight").resolve(weights)),
        Files.readAllBytes(folder.resolve("broken").resolve(weights)));
    assertTrue(moments("straight", 7, CONFIGURATION).sameAs(moments("broken", 7, CONFIGURATION)));
    assertEquals(steps("straight"), steps("broken"));
    assertEquals(state("straight"), state("broken"));
  }

  @Test
  void aRunGoesOnWithTheSameBitsOnFourThenTwoThenThreeThenOneRank() throws Exception {
    RunSummary straight = train("straight", CONFIGURATION, 1);
    assertThrows(IllegalStateException.class, () -> stop("moved", 3, 4));
    assertThrows(IllegalStateException.class, () -> stop("moved", 5, 2));
    assertThrows(IllegalStateException.class, () -> stop("moved", 7, 3));
    List<String> messages = new ArrayList<>();
    RunSummary moved = TinyRun.train(run("moved", CONFIGURATION), 1, messages(messages)).get(0);
    assertTrue(messages.get(0).contains("step-00000006"), messages.toString());
    assertEquals(straight.weightsSha256(), moved.weightsSha256());
    assertTrue(moments("straight", 7, CONFIGURATION).sameAs(moments("moved", 7, CONFIGURATION)));
    assertEquals(steps("straight"), steps("moved"));
  }

  @Test
  void everyRankWritesItsOwnPartOfTheMoments() throws Exception {
    train("run", CONFIGURATION, 3);
    List<Long> sizes = new ArrayList<>();
    for (int rank = 0; rank < 3; rank++) {
      sizes.add(
          Files.size(
              folder.resolve("run/checkpoints/step-00000007/" + OptimizerShard.fileName(rank, 3))));
    }
    ParameterLayout layout = CONFIGURATION.model().layout();
    long all = sizes.stream().mapToLong(Long::longValue).sum();
    assertTrue(all >= 8 * layout.size() && all < 8 * layout.size() + 3 * 1000, "bytes " + all);
  }

  @Test
  void aRunIsResumedFromACheckpointWithWholeMoments() throws Exception {
    RunSummary straight = train("straight", CONFIGURATION, 1);
    assertThrows(IllegalStateException.class, () -> stop("old", 5, 1));
    rewriteWithWholeMoments(4);
    RunSummary resumed = train("old", CONFIGURATION, 3);
    assertEquals(straight.weightsSha256(), resumed.weightsSha256());
    assertTrue(moments("straight", 7, CONFIGURATION).sameAs(moments("old", 7, CONFIGURATION)));
  }

  /** As earlier versions wrote it: a file for each moment, a tensor for each parameter. */
  private void rewriteWithWholeMoments(int step) throws Exception {
    CheckpointStore store = new CheckpointStore(output("old"), 1);
    ModelConfiguration model = CONFIGURATION.model();
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
    RunConfiguration configuration =
        TinyRun.configuration(
            TRAINING.toBuilder().steps(3).checkpointInterval(1).evalInterval(0).build(), 0.1);
    RunSummary straight = train("straight", configuration, 1);
    DyingFileSystem immortal = DyingFileSystem.at(0);
    TinyRun.train(run("immortal", configuration, immortal), ranks, TrainingListener.NONE);
    for (int fatal = 1; fatal <= immortal.changes(); fatal += 17) {
      String name = "death-" + fatal;
      TrainingRun dying = run(name, configuration, DyingFileSystem.at(fatal));
      assertDies(dying, ranks);
      RunSummary resumed = train(name, configuration, 1);
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

  private TrainingRun run(String name, RunConfiguration configuration, DyingFileSystem dying)
      throws Exception {
    RunFolder folder = new RunFolder(dying, output(name).path());
    return new TrainingRun(configuration, dataset, folder, true);
  }

  private void stop(String name, int step, int ranks) throws Exception {
    TinyRun.train(run(name, CONFIGURATION), ranks, stoppingAfter(step));
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
