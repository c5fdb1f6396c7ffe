package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.training.configuration.TrainingConfiguration;

/** Checkpoints from before some of today's keys were there. */
class EarlierVersionTest {
  private static final int STEPS = 6;
  private static final TrainingConfiguration TRAINING =
      TinyRun.training().steps(STEPS).checkpointInterval(2).evalInterval(0).logInterval(1).build();

  @TempDir Path folder;
  private TokenDataset dataset;

  @BeforeEach
  void buildDataset() throws Exception {
    dataset = TinyDataset.open(Files.createDirectory(folder.resolve("data")), 100, 0);
  }

  @AfterEach
  void close() throws Exception {
    dataset.close();
  }

  @Test
  void aKeyThatIsNewerThanTheRunIsTakenForItsDefault() throws Exception {
    RunSummary straight = train("straight", TRAINING, TrainingListener.NONE);
    stopAfterFive("old");
    forget("old", "model", Set.of("architecture", "recompute_activations"));
    forget("old", "training", Set.of("precision", "wire_precision", "zero_stage"));
    forget("old", "training", Set.of("spike_sigma", "spike_window", "digest_interval"));
    forget("old", "training", Set.of("gradient_check_interval"));
    RunSummary resumed = train("old", TRAINING, TrainingListener.NONE);
    assertEquals(straight.weightsSha256(), resumed.weightsSha256());
  }

  @Test
  void aNewerKeyThatIsNotItsDefaultIsRefusedByName() throws Exception {
    stopAfterFive("old");
    forget("old", "training", Set.of("spike_sigma", "spike_window"));
    refuses(
        TRAINING.toBuilder().spikeWindow(40).build(),
        "training.spike_window is 40 now, but the run began without that key, which stands for 100;");
  }

  @Test
  void aKeyWithoutADefaultIsRefusedWhereItIsMissing() throws Exception {
    stopAfterFive("old");
    forget("old", "training", Set.of("min_learning_rate"));
    refuses(
        TRAINING, "training.min_learning_rate is 0.001 now, but the run began without that key;");
  }

  private void refuses(TrainingConfiguration now, String message) {
    IllegalArgumentException refused =
        assertThrows(
            IllegalArgumentException.class, () -> train("old", now, TrainingListener.NONE));
    assertTrue(refused.getMessage().contains(message), refused.getMessage());
  }

  private void stopAfterFive(String name) {
    TrainingListener stopping =
        new TrainingListener() {
          @Override
          public void onStep(StepMetrics metrics) {
            if (metrics.step() == STEPS - 1) {
              throw new IllegalStateException("stopped");
            }
          }
        };
    assertThrows(IllegalStateException.class, () -> train(name, TRAINING, stopping));
  }

  /** Writes the last checkpoint again, without some keys of its configuration. */
  private void forget(String name, String section, Set<String> keys) throws Exception {
    CheckpointStore store = new CheckpointStore(output(name), 2);
    List<CheckpointFile> files = new ArrayList<>();
    for (String file : store.files(STEPS - 2)) {
      byte[] bytes = store.folder(STEPS - 2).read(file).orElseThrow();
      boolean forgets = file.equals(CheckpointStore.CONFIGURATION);
      files.add(CheckpointFile.of(file, forgets ? without(bytes, section, keys) : bytes));
    }
    store.write(STEPS - 2, files, CheckpointStore.Guard.SOLE);
  }

  private static byte[] without(byte[] json, String section, Set<String> keys) throws Exception {
    JsonNode configuration = Json.tree(json);
    for (String key : keys) {
      JsonNode removed = ((ObjectNode) configuration.get(section)).remove(key);
      assertTrue(removed != null, key);
    }
    return Json.pretty(configuration);
  }

  private RunSummary train(String name, TrainingConfiguration training, TrainingListener listener)
      throws Exception {
    TrainingRun run =
        new TrainingRun(TinyRun.configuration(training, 0.1), dataset, output(name), true);
    return TinyRun.train(run, 2, listener).get(0);
  }

  private RunFolder output(String name) throws Exception {
    return RunFolder.of(new Configuration(false), folder.resolve(name).toUri().toString());
  }
}
