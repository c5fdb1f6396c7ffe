package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.IntFunction;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.models.Gpt;
import org.sparkformer.models.GptConfiguration;
import org.sparkformer.opencl.DeviceSelector;
import org.sparkformer.opencl.Devices;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.opencl.OpenClOptions;
import org.sparkformer.tensor.Backend;
import org.sparkformer.training.configuration.DataConfiguration;
import org.sparkformer.training.configuration.RunConfiguration;

/** These tests need an OpenCL device and fail without one. */
class CappedPoolTest {
  private static final int RANKS = 8;
  private static final GptConfiguration MODEL =
      new GptConfiguration(12, 2, 128, 8, TinyDataset.VOCABULARY, 0, false);

  private static final long WEIGHTS = Float.BYTES * Gpt.layout(MODEL).size();

  /** Too little for the weights alone, of the four such vectors that training needs. */
  private static final long LIMIT = WEIGHTS * 9 / 10;

  @TempDir Path folder;

  @Test
  void aModelLargerThanTheDeviceTrainsWhereTheRanksShareIt() throws Exception {
    try (TokenDataset dataset =
        TinyDataset.open(Files.createDirectory(folder.resolve("data")), 100, 40)) {
      RunSummary whole = train(dataset, 1, rank -> open(OpenClOptions.defaults())).get(0);
      List<RunSummary> shared = train(dataset, 3, CappedPoolTest::capped);
      assertEquals(whole.weightsSha256(), shared.get(RANKS - 1).weightsSha256());
      assertEquals(whole.valLoss(), shared.get(0).valLoss());
      String refused =
          assertThrows(
                  IllegalArgumentException.class, () -> train(dataset, 1, CappedPoolTest::capped))
              .getMessage();
      assertTrue(refused.startsWith("training needs at least "), refused);
      assertTrue(refused.contains("set training.zero_stage to 3"), refused);
    }
  }

  private List<RunSummary> train(TokenDataset dataset, int stage, IntFunction<Backend> backends)
      throws Exception {
    RunConfiguration configuration =
        new RunConfiguration(
            "capped",
            MODEL,
            DataConfiguration.ofDataset("unused"),
            TinyRun.training().steps(2).batchSize(RANKS).zeroStage(stage).build());
    Path output = Files.createTempDirectory(folder, "run");
    RunFolder run = RunFolder.of(new Configuration(false), output.toUri().toString());
    return TinyRun.train(
        new TrainingRun(configuration, dataset, run, true),
        RANKS,
        TrainingListener.NONE,
        backends,
        Buckets.Sizes.STANDARD);
  }

  private static Backend capped(int rank) {
    return open(OpenClOptions.defaults().withMemoryLimit(LIMIT));
  }

  private static Backend open(OpenClOptions options) {
    return OpenClBackend.open(Devices.select(DeviceSelector.AUTO), options);
  }
}
