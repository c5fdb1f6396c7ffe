package org.sparkformer.training;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.training.configuration.RunConfiguration;

/**
 * What tests of whole runs start from: a tiny dataset, and a folder that holds the runs by name.
 */
abstract class TinyRuns {
  @TempDir Path folder;
  TokenDataset dataset;

  @BeforeEach
  final void buildDataset() throws IOException {
    dataset = dataset(Files.createDirectory(folder.resolve("data")));
  }

  TokenDataset dataset(Path data) throws IOException {
    return TinyDataset.open(data, 100, 40);
  }

  @AfterEach
  final void closeDataset() throws IOException {
    dataset.close();
  }

  /** Trains a run, or goes on with it; rank 0's summary. */
  final RunSummary train(String name, RunConfiguration configuration, int ranks) throws Exception {
    return TinyRun.train(run(name, configuration), ranks, TrainingListener.NONE).get(0);
  }

  final TrainingRun run(String name, RunConfiguration configuration) throws IOException {
    return new TrainingRun(configuration, dataset, output(name), true);
  }

  final RunFolder output(String name) throws IOException {
    return RunFolder.of(new Configuration(false), folder.resolve(name).toUri().toString());
  }

  /** What a finished run of so many steps left of its optimizer. */
  final SavedMoments moments(String name, int steps, RunConfiguration configuration)
      throws Exception {
    return SavedMoments.of(folder.resolve(name).toUri().toString(), steps, configuration.model());
  }

  static TrainingListener messages(List<String> messages) {
    return new TrainingListener() {
      @Override
      public void onMessage(String message) {
        messages.add(message);
      }
    };
  }

  /** Ends a run when this step is logged. */
  static TrainingListener stoppingAfter(int step) {
    return new TrainingListener() {
      @Override
      public void onStep(StepMetrics metrics) {
        if (metrics.step() == step) {
          throw new IllegalStateException("stopped");
        }
      }
    };
  }
}
