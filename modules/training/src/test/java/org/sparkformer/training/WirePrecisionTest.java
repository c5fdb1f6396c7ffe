package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkformer.training.configuration.Precision;
import org.sparkformer.training.configuration.TrainingConfiguration;

/** Gradients that cross from rank to rank as bf16. */
class WirePrecisionTest extends TinyRuns {
  private static final int STEPS = 60;

  /** The first step's loss is that of the same weights, and crosses in fp32. */
  @Test
  void trainingConvergesAsItDoesInFp32() throws Exception {
    RunSummary first = train("first", training(Precision.FP32, 1), 2);
    assertEquals(first.loss(), train("first-bf16", training(Precision.BF16, 1), 2).loss());
    RunSummary full = train("full", training(Precision.FP32, STEPS), 2);
    RunSummary rounded = train("rounded", training(Precision.BF16, STEPS), 2);
    assertNotEquals(full.weightsSha256(), rounded.weightsSha256());
    assertTrue(full.loss() < first.loss() - 0.5, full.loss() + " after " + first.loss());
    assertEquals(full.loss(), rounded.loss(), 0.02);
    assertEquals(full.valLoss(), rounded.valLoss(), 0.02);
  }

  @Test
  void oneRankSendsAndRoundsNothing() throws Exception {
    assertEquals(
        train("full", training(Precision.FP32, 3), 1).weightsSha256(),
        train("rounded", training(Precision.BF16, 3), 1).weightsSha256());
  }

  @Test
  void theBitsFollowFromTheNumberOfRanksUnlessEveryMicroBatchCrossesAlone() throws Exception {
    TrainingConfiguration first = training(Precision.BF16, 3);
    TrainingConfiguration third = first.toBuilder().zeroStage(3).build();
    List<String> digests = new ArrayList<>();
    for (int ranks : new int[] {2, 3, 6}) {
      digests.add(train("first-" + ranks, first, ranks).weightsSha256());
    }
    assertEquals(3, digests.stream().distinct().count());
    String apart = train("third-2", third, 2).weightsSha256();
    assertEquals(apart, train("third-4", third, 4).weightsSha256());
    assertEquals(apart, train("third-6", third, 6).weightsSha256());
  }

  @Test
  void goingOnWithAnotherNumberOfRanksIsAnnouncedWhereItChangesTheWeights() throws Exception {
    for (Precision precision : Precision.values()) {
      String told = goOn("run-" + precision, training(precision, 4), 3, 1, 2).said();
      boolean says =
          told.contains(
              "2 ranks under training.zero_stage 1 go on where 3 under training.zero_stage 1 stopped");
      assertEquals(precision == Precision.BF16, says, told);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "2, 1, 2, 3, true",
    "2, 3, 2, 1, true",
    "2, 3, 3, 3, false",
    "6, 1, 2, 3, false",
    "1, 1, 1, 3, false",
    "1, 3, 1, 3, false",
    "2, 3, 1, 3, true"
  })
  void goingOnUnderAnotherStageIsAnnouncedWhereItChangesTheWeights(
      int ranks, int stage, int ranksNow, int stageNow, boolean changes) throws Exception {
    TrainingConfiguration training =
        training(Precision.BF16, 4).toBuilder().zeroStage(stage).build();
    String straight = train("straight", training, ranks).weightsSha256();
    Resumed resumed = goOn("run", training, ranks, stageNow, ranksNow);
    assertEquals(changes, resumed.said().contains(" go on where "), resumed.said());
    assertEquals(changes, !straight.equals(resumed.weightsSha256()));
  }

  /** What a run says, and the weights that it ends with. */
  private record Resumed(String said, String weightsSha256) {}

  /** Stops after two of four steps and goes on. */
  private Resumed goOn(
      String name, TrainingConfiguration training, int ranks, int stageNow, int ranksNow)
      throws Exception {
    TrainingConfiguration saved =
        training.toBuilder().checkpointInterval(2).keepCheckpoints(2).build();
    train(name, saved, ranks);
    // Killed before the last checkpoint, as it were.
    Files.delete(folder.resolve(name).resolve("checkpoints/step-00000004/manifest.json"));
    List<String> messages = new ArrayList<>();
    // What stage 3 could not have been with may change along with it.
    TrainingConfiguration now =
        saved.toBuilder().zeroStage(stageNow).overlap(stageNow == 3).build();
    TrainingRun run = run(name, now);
    RunSummary end = TinyRun.train(run, ranksNow, messages(messages)).get(0);
    return new Resumed(messages.toString(), end.weightsSha256());
  }

  private static TrainingConfiguration training(Precision wire, int steps) {
    return TinyRun.training().steps(steps).wirePrecision(wire).build();
  }

  private RunSummary train(String name, TrainingConfiguration training, int ranks)
      throws Exception {
    return train(name, TinyRun.configuration(training, 0), ranks);
  }

  private TrainingRun run(String name, TrainingConfiguration training) throws Exception {
    return run(name, TinyRun.configuration(training, 0));
  }
}
