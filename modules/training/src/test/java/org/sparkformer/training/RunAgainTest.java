package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.training.configuration.RunConfiguration;
import org.sparkformer.training.configuration.TrainingConfiguration;

/** The same folder, given to a run again: what it goes on with, and what it refuses. */
class RunAgainTest extends TinyRuns {
  private static final TrainingConfiguration TRAINING =
      TinyRun.training().steps(7).checkpointInterval(2).logInterval(1).build();
  private static final RunConfiguration CONFIGURATION = TinyRun.configuration(TRAINING, 0.1);

  @Test
  void aFinishedRunIsSummedUpAgainWithoutTraining() throws Exception {
    RunSummary first = train("run", CONFIGURATION, 1);
    Files.delete(folder.resolve("run/run.json"));
    List<StepMetrics> trained = new ArrayList<>();
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void onStep(StepMetrics metrics) {
            trained.add(metrics);
          }
        };
    RunSummary second = TinyRun.train(run("run", CONFIGURATION), 1, listener).get(0);
    assertEquals(List.of(), trained);
    assertEquals(first.weightsSha256(), second.weightsSha256());
    assertEquals(first.valLoss(), second.valLoss());
    assertTrue(Files.exists(folder.resolve("run/run.json")));
  }

  @Test
  void aChangedKeyIsRefusedByName() throws Exception {
    train("run", CONFIGURATION, 1);
    TrainingConfiguration longer = TRAINING.toBuilder().steps(9).build();
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> train("run", TinyRun.configuration(longer, 0.1), 1))
            .getMessage();
    assertTrue(message.contains("training.steps is 9 now, but the run began with 7"), message);
  }

  @Test
  void keysThatChangeNoNumberMayDiffer() throws Exception {
    RunSummary straight = train("straight", CONFIGURATION, 1);
    assertThrows(
        IllegalStateException.class,
        () -> TinyRun.train(run("broken", CONFIGURATION), 1, stoppingAfter(5)));
    TrainingConfiguration other =
        TRAINING.toBuilder().logInterval(3).keepCheckpoints(1).evalInterval(0).build();
    assertEquals(
        straight.weightsSha256(),
        train("broken", TinyRun.configuration(other, 0.1), 1).weightsSha256());
  }

  @Test
  void otherTokensAreRefused() throws Exception {
    train("run", CONFIGURATION, 1);
    try (TokenDataset other =
        TinyDataset.open(Files.createDirectory(folder.resolve("other")), 101, 40)) {
      TrainingRun run = new TrainingRun(CONFIGURATION, other, output("run"), true);
      String message =
          assertThrows(
                  IllegalArgumentException.class,
                  () -> TinyRun.train(run, 1, TrainingListener.NONE))
              .getMessage();
      assertTrue(message.contains("holds other tokens"), message);
    }
  }

  @Test
  void aFreshStartInAFolderWithCheckpointsIsRefused() throws Exception {
    train("run", CONFIGURATION, 1);
    TrainingRun fresh = new TrainingRun(CONFIGURATION, dataset, output("run"), false);
    assertThrows(
        IllegalArgumentException.class, () -> TinyRun.train(fresh, 1, TrainingListener.NONE));
  }
}
