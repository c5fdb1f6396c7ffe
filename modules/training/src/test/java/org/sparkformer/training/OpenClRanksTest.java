package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.IntFunction;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.opencl.DeviceInfo;
import org.sparkformer.opencl.DeviceSelector;
import org.sparkformer.opencl.Devices;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.opencl.OpenClDevice;
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

  /** As GPUs copy. Ranks that share weights write over what has just left, and soon. */
  @Test
  void copiesBesideTheKernelsChangeNoBit() throws Exception {
    RunConfiguration copied = TinyRun.configuration(TinyRun.training().build(), 0.2);
    RunConfiguration shared = TinyRun.configuration(TinyRun.training().zeroStage(3).build(), 0.2);
    try (TokenDataset dataset =
        TinyDataset.open(Files.createDirectory(folder.resolve("data")), 100, 40)) {
      RunSummary alone = train(copied, dataset, 1, rank -> openAsGpu());
      RunSummary three = train(copied, dataset, 3, rank -> openAsGpu());
      RunSummary whole = train(shared, dataset, 3, rank -> openAsGpu());
      assertEquals(alone.weightsSha256(), three.weightsSha256());
      assertEquals(alone.weightsSha256(), whole.weightsSha256());
      assertEquals(alone.valLoss(), whole.valLoss());
    }
  }

  private static Backend openAsGpu() {
    OpenClDevice device = Devices.select(DeviceSelector.AUTO);
    DeviceInfo own = device.info();
    DeviceInfo gpu =
        new DeviceInfo(
            own.index(),
            DeviceInfo.Kind.GPU,
            own.identity(),
            own.computeUnits(),
            own.floatVectorWidth(),
            own.memory(),
            0);
    return OpenClBackend.open(
        new OpenClDevice(device.platform(), device.id(), gpu), OpenClOptions.defaults());
  }

  private RunSummary train(RunConfiguration configuration, TokenDataset dataset, int ranks)
      throws Exception {
    return train(configuration, dataset, ranks, rank -> open(rank, ranks));
  }

  private RunSummary train(
      RunConfiguration configuration,
      TokenDataset dataset,
      int ranks,
      IntFunction<Backend> backends)
      throws Exception {
    String output = Files.createTempDirectory(folder, "run").toUri().toString();
    TrainingRun run =
        new TrainingRun(
            configuration, dataset, RunFolder.of(new Configuration(false), output), true);
    return TinyRun.train(run, ranks, TrainingListener.NONE, backends).get(0);
  }

  private static Backend open(int rank, int ranks) {
    OpenClOptions options = OpenClOptions.defaults().withPart(rank, ranks);
    return OpenClBackend.open(Devices.select(DeviceSelector.AUTO), options);
  }
}
