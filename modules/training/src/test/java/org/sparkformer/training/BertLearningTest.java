package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.models.BertConfiguration;
import org.sparkformer.opencl.DeviceSelector;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.training.configuration.DataConfiguration;
import org.sparkformer.training.configuration.RunConfiguration;
import org.sparkformer.training.configuration.TrainingConfiguration;

/** Whether a small BERT fills in what only both sides of a hidden token tell. */
class BertLearningTest extends TinyRuns {
  /** Nine letters, an odd number, between the ends: a window begins with a small or a large one. */
  private static final int CONTEXT = 11;

  @Override
  TokenDataset dataset(Path data) throws IOException {
    return TinyDataset.pairs(data, 20_000, 2000);
  }

  /**
   * Pairs of a small letter and the same one large: the left neighbour tells which of the two is
   * hidden, and its letter is the left or the right neighbour's. Single letters have an entropy of
   * ln 32 = 3.5. Who sees the left side alone has to guess every small one of 16: ln 16 / 2 = 1.4
   * over all. Nothing tells a letter whose other half is hidden, too, or outside the window, which
   * is the case for two of nine: 0.2 ln 16 = 0.6.
   */
  @Test
  void aHiddenTokenIsFoundFromBothItsSides() throws Exception {
    TrainingConfiguration training =
        TinyRun.training()
            .steps(1200)
            .batchSize(32)
            .microBatchSize(32)
            .learningRate(3e-3)
            .minLearningRate(3e-4)
            .warmupSteps(50)
            .logInterval(400)
            .evalInterval(0)
            .evalBatches(4)
            .build();
    RunConfiguration configuration =
        new RunConfiguration(
            "pairs",
            new BertConfiguration(2, 4, 64, CONTEXT, TinyDataset.MASKED_VOCABULARY, 0, false),
            DataConfiguration.ofDataset("unused"),
            training);
    RunSummary summary =
        TinyRun.train(
                run("learn", configuration),
                1,
                TrainingListener.NONE,
                rank -> OpenClBackend.open(DeviceSelector.AUTO))
            .get(0);
    assertTrue(summary.valLoss() < 0.8, "validation loss " + summary.valLoss());
  }
}
