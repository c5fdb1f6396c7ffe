package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.training.configuration.RunConfiguration;
import org.sparkformer.training.configuration.TrainingConfiguration;

class RankTrainerTest extends TinyRuns {
  /** Global batches of 6, 5 and 7 micro-batches: trees of uneven depth, several partial sums. */
  @ParameterizedTest
  @CsvSource({"2, 6", "3, 6", "4, 6", "6, 6", "2, 5", "3, 5", "4, 5", "3, 7", "4, 7"})
  void anyNumberOfRanksGivesTheSameBits(int ranks, int leaves) throws Exception {
    RunConfiguration configuration =
        TinyRun.configuration(TinyRun.training().batchSize(leaves).build(), 0.2);
    RunSummary alone = TinyRun.train(run("one", configuration), 1, TrainingListener.NONE).get(0);
    for (RunSummary rank :
        TinyRun.train(run("many", configuration), ranks, TrainingListener.NONE)) {
      assertEquals(alone.weightsSha256(), rank.weightsSha256());
      assertEquals(alone.loss(), rank.loss());
      assertEquals(alone.valLoss(), rank.valLoss());
    }
    assertTrue(moments("one", 6, configuration).sameAs(moments("many", 6, configuration)));
  }

  @Test
  void theSeedChangesTheWeights() throws Exception {
    TrainingConfiguration training = TinyRun.training().build();
    RunSummary one = train(training, "one", TrainingListener.NONE);
    RunSummary other = train(training.toBuilder().seed(7).build(), "two", TrainingListener.NONE);
    assertTrue(!one.weightsSha256().equals(other.weightsSha256()));
  }

  @Test
  void aTinyModelLearnsItsFourWords() throws Exception {
    TrainingConfiguration training =
        TinyRun.training().steps(150).logInterval(50).evalInterval(0).build();
    RunSummary summary = train(training, "learn", TrainingListener.NONE);
    // Four words of four characters: ln 4 / 4 = 0.35 is the entropy, ln 11 = 2.4 the start.
    assertTrue(summary.loss() < 0.9, "loss " + summary.loss());
    assertTrue(summary.valLoss() < 0.9, "validation loss " + summary.valLoss());
  }

  @Test
  void metricsHaveTheNamesThatScriptsRelyOn() throws Exception {
    List<StepMetrics> heard = new ArrayList<>();
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void onStep(StepMetrics metrics) {
            heard.add(metrics);
          }
        };
    RunSummary summary = train(TinyRun.training().build(), "metrics", listener);
    List<JsonNode> lines = new ArrayList<>();
    for (String line : Files.readAllLines(folder.resolve("metrics/metrics.jsonl"))) {
      lines.add(Json.tree(line.getBytes()));
    }
    assertEquals(
        List.of(1, 2, 3, 4, 6, 6), lines.stream().map(line -> line.get("step").asInt()).toList());
    assertEquals(
        Set.of(
            "step",
            "loss",
            "lr",
            "grad_norm",
            "tokens",
            "tokens_per_second",
            "step_ms",
            "forward_ms",
            "backward_ms",
            "allreduce_ms",
            "allreduce_exposed_ms",
            "reduce_exposed_ms",
            "data_wait_ms",
            "rank_step_ms",
            "skipped"),
        names(lines.get(0)));
    assertEquals(Set.of("step", "val_loss"), names(lines.get(2)));
    assertEquals(heard, heard.stream().filter(step -> step.forwardMs() > 0).toList());
    assertEquals(summary.loss(), lines.get(4).get("loss").asDouble());
    assertEquals(summary.valLoss(), lines.get(5).get("val_loss").asDouble());
  }

  @Test
  void theSummaryHasTheNamesThatScriptsRelyOn() throws Exception {
    RunSummary summary = train(TinyRun.training().build(), "summary", TrainingListener.NONE);
    JsonNode written = Json.tree(Files.readAllBytes(folder.resolve("summary/run.json")));
    assertTrue(
        names(written)
            .containsAll(
                Set.of(
                    "configuration",
                    "parameters",
                    "device",
                    "wall_seconds",
                    "loss",
                    "val_loss",
                    "weights_sha256",
                    "steps",
                    "ranks",
                    "tokens")));
    assertEquals(summary.weightsSha256(), written.get("weights_sha256").asText());
    assertEquals(6 * 6 * 7, written.get("tokens").asLong());
    assertEquals(8, written.get("configuration").get("model").get("width").asInt());
  }

  @Test
  void divergenceEndsTrainingWithTheStep() {
    TrainingConfiguration training =
        TinyRun.training()
            .learningRate(9)
            .minLearningRate(9)
            .warmupSteps(0)
            .weightDecay(9)
            .clip(0)
            .steps(200)
            .logInterval(1000)
            .build();
    NonFiniteGradientException diverged =
        assertThrows(
            NonFiniteGradientException.class, () -> train(training, "nan", TrainingListener.NONE));
    assertTrue(diverged.step() > 1 && diverged.step() <= 200);
    assertTrue(diverged.getMessage().contains("step " + diverged.step() + " "));
  }

  @Test
  void aDatasetWithoutValidationTrainsWithoutEvaluating() throws Exception {
    try (TokenDataset train =
        TinyDataset.open(Files.createDirectory(folder.resolve("train-only")), 100, 0)) {
      RunConfiguration configuration = TinyRun.configuration(TinyRun.training().build(), 0);
      TrainingRun run = new TrainingRun(configuration, train, output("blind"), true);
      assertNull(TinyRun.train(run, 2, TrainingListener.NONE).get(0).valLoss());
    }
  }

  private RunSummary train(TrainingConfiguration training, String name, TrainingListener listener)
      throws Exception {
    return TinyRun.train(run(name, TinyRun.configuration(training, 0)), 1, listener).get(0);
  }

  private static Set<String> names(JsonNode object) {
    Set<String> names = new TreeSet<>();
    object.fieldNames().forEachRemaining(names::add);
    return names;
  }
}
