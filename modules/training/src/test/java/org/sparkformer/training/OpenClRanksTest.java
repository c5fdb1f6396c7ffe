package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.opencl.DeviceSelector;
import org.sparkformer.opencl.Devices;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.opencl.OpenClOptions;
import org.sparkformer.tensor.Backend;
import org.sparkformer.training.configuration.Precision;
import org.sparkformer.training.configuration.RunConfiguration;
import org.sparkformer.training.configuration.TrainingConfiguration;

/** These tests need an OpenCL device and fail without one. */
class OpenClRanksTest {
  @TempDir Path folder;

  @Test
  void twoPartsOfADeviceGiveTheBitsOfTheWhole() throws Exception {
    RunConfiguration configuration = TinyRun.configuration(TinyRun.training().build(), 0.2);
    try (TokenDataset dataset =
        TinyDataset.open(Files.createDirectory(folder.resolve("data")), 100, 40)) {
      RunSummary whole = train(configuration, dataset, 1);
      RunSummary parts = train(configuration, dataset, 2);
      assertEquals(whole.weightsSha256(), parts.weightsSha256());
      assertEquals(whole.loss(), parts.loss());
      assertEquals(whole.valLoss(), parts.valLoss());
    }
  }

  @Test
  void productsOfBf16LearnNearlyTheSameOnAnyNumberOfParts() throws Exception {
    TrainingConfiguration training = TinyRun.training().steps(40).build();
    RunConfiguration fp32 = TinyRun.configuration(training, 0);
    RunConfiguration bf16 =
        TinyRun.configuration(training.toBuilder().precision(Precision.BF16).build(), 0);
    try (TokenDataset dataset =
        TinyDataset.open(Files.createDirectory(folder.resolve("data")), 100, 40)) {
      RunSummary expected = train(fp32, dataset, 3);
      RunSummary whole = train(bf16, dataset, 1);
      RunSummary parts = train(bf16, dataset, 2);
      assertEquals(whole.weightsSha256(), parts.weightsSha256());
      assertNotEquals(expected.weightsSha256(), whole.weightsSha256());
      assertEquals(expected.valLoss(), whole.valLoss(), 0.01);
    }
  }

  private RunSummary train(RunConfiguration configuration, TokenDataset dataset, int ranks)
      throws Exception {
    String output =
        folder.resolve(configuration.training().precision() + "-" + ranks).toUri().toString();
    TrainingRun run =
        new TrainingRun(
            configuration, dataset, RunFolder.of(new Configuration(false), output), true);
    return TinyRun.train(run, ranks, TrainingListener.NONE, rank -> open(rank, ranks)).get(0);
  }

  private static Backend open(int rank, int ranks) {
    OpenClOptions options = OpenClOptions.defaults().withPart(rank, ranks);
    return OpenClBackend.open(Devices.select(DeviceSelector.AUTO), options);
  }
}
