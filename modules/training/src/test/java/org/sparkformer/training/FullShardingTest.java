package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.models.GptConfiguration;
import org.sparkformer.training.configuration.DataConfiguration;
import org.sparkformer.training.configuration.RunConfiguration;
import org.sparkformer.training.configuration.TrainingConfiguration;
import org.sparkformer.training.configuration.TrainingConfigurationBuilder;

class FullShardingTest {
  private static final String LAST = "checkpoints/step-00000005/";

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

  /**
   * Widths whose blocks begin in the middle of the norm's blocks (24, 40) or are smaller than one
   * (8); one micro-batch a rank, and several, also where their sums are several nodes of the tree
   * (3 ranks) or the last round has none for some ranks.
   */
  @ParameterizedTest
  @CsvSource({
    "2, 2, 2, 8, 0, false, 1",
    "2, 6, 1, 24, 0.2, false, 2",
    "2, 8, 3, 40, 0.2, true, 3",
    "3, 3, 2, 24, 0.1, false, 4",
    "4, 4, 5, 24, 0, true, 5",
    "4, 12, 2, 40, 0.1, false, 6",
    "3, 6, 2, 24, 0.1, false, 7",
    "3, 7, 3, 40, 0.2, true, 8",
    "5, 12, 1, 24, 0.1, false, 9",
    "4, 5, 2, 8, 0, false, 10"
  })
  void sharingWeightsAndGradientsChangesNoBit(
      int ranks, int leaves, int layers, int width, double dropout, boolean recompute, long seed)
      throws Exception {
    GptConfiguration model =
        new GptConfiguration(layers, 2, width, 7, TinyDataset.VOCABULARY, dropout, recompute);
    TrainingConfiguration training = training().batchSize(leaves).seed(seed).build();
    RunSummary one = train("one", model, training, 1);
    RunSummary shared = train("shared", model, full(training), ranks);
    assertEquals(one.weightsSha256(), shared.weightsSha256());
    assertEquals(one.loss(), shared.loss());
    assertEquals(one.valLoss(), shared.valLoss());
    assertArrayEquals(
        Files.readAllBytes(folder.resolve("one").resolve(LAST + "model.safetensors")),
        Files.readAllBytes(folder.resolve("shared").resolve(LAST + "model.safetensors")));
    assertTrue(moments("one", model).sameAs(moments("shared", model)));
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 3, 4", "3, 2, 1, 3", "3, 4, 3, 3", "3, 2, 3, 1"})
  void aCheckpointOfOneStageLoadsInTheOther(
      int stageBefore, int ranksBefore, int stageAfter, int ranksAfter) throws Exception {
    GptConfiguration model = new GptConfiguration(3, 2, 24, 7, TinyDataset.VOCABULARY, 0.1, false);
    TrainingConfiguration training = training().batchSize(4).checkpointInterval(2).build();
    RunSummary straight = train("straight", model, training, 2);
    TrainingListener stopping =
        new TrainingListener() {
          @Override
          public void onStep(StepMetrics metrics) {
            if (metrics.step() == 4) {
              throw new IllegalStateException("stopped");
            }
          }
        };
    TrainingRun broken = run("moved", model, stage(training, stageBefore));
    assertThrows(IllegalStateException.class, () -> TinyRun.train(broken, ranksBefore, stopping));
    RunSummary moved = train("moved", model, stage(training, stageAfter), ranksAfter);
    assertEquals(straight.weightsSha256(), moved.weightsSha256());
    assertEquals(straight.valLoss(), moved.valLoss());
    assertTrue(moments("straight", model).sameAs(moments("moved", model)));
  }

  private static TrainingConfigurationBuilder training() {
    return TinyRun.training().steps(5).logInterval(1);
  }

  private static TrainingConfiguration full(TrainingConfiguration training) {
    return stage(training, 3);
  }

  private static TrainingConfiguration stage(TrainingConfiguration training, int stage) {
    return training.toBuilder().zeroStage(stage).build();
  }

  private RunSummary train(
      String name, GptConfiguration model, TrainingConfiguration training, int ranks)
      throws Exception {
    List<RunSummary> all = TinyRun.train(run(name, model, training), ranks, TrainingListener.NONE);
    return all.get(ranks - 1);
  }

  private TrainingRun run(String name, GptConfiguration model, TrainingConfiguration training)
      throws Exception {
    RunConfiguration configuration =
        new RunConfiguration("tiny", model, DataConfiguration.ofDataset("unused"), training);
    return new TrainingRun(
        configuration,
        dataset,
        RunFolder.of(new Configuration(false), folder.resolve(name).toUri().toString()),
        true);
  }

  private SavedMoments moments(String run, GptConfiguration model) throws Exception {
    return SavedMoments.of(folder.resolve(run).toUri().toString(), 5, model);
  }
}
