package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.opencl.DeviceActivity;
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
  private static final int INTERVAL = 10;

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

  /**
   * A bucket's gradients and the own slice of its weights leave the device once a step, the own
   * slice of its sums and the others' weights come; and so do a rank's blocks of the norm, and all
   * of them.
   */
  @Test
  void afterWarmUpNothingIsAllocatedAndABucketIsCopiedToTheHostOnceAStep() throws Exception {
    List<OpenClBackend> backends = List.of(open(0, 2), open(1, 2));
    List<List<DeviceActivity>> logged = List.of(new ArrayList<>(), new ArrayList<>());
    RunConfiguration configuration = configuration();
    try (TokenDataset dataset =
        TinyDataset.open(Files.createDirectory(folder.resolve("data")), 100, 40)) {
      TinyRun.train(run(configuration, dataset), 2, counting(backends, logged), backends::get);
    }
    Buckets buckets = Buckets.of(configuration.model().layout(), 2, TinyRun.SIZES);
    for (int rank = 0; rank < 2; rank++) {
      DeviceActivity interval = logged.get(rank).get(2).since(logged.get(rank).get(1));
      // Counted when rank 0 logs: the other one may be a step ahead.
      int steps = INTERVAL + rank;
      long copies = buckets.all().size() + 2 * owned(buckets, rank) + owned(buckets, 1 - rank) + 2;
      assertEquals(0, interval.buffers(), interval::toString);
      assertTrue(interval.started() <= copies * steps, copies + " a step, " + interval);
      assertTrue(interval.reads() <= 1, "the norm of the step that is logged: " + interval);
      // One keeps the host a step ahead, one shows what of the exchange the device hides.
      assertTrue(interval.markWaits() <= 2L * steps, interval::toString);
      long others = interval.waits() - interval.markWaits();
      assertTrue(others <= interval.started() + interval.reads() + 1, interval::toString);
    }
  }

  /** Buckets of which a rank owns parameters. */
  private static long owned(Buckets buckets, int rank) {
    return buckets.slices(rank).stream().filter(Slice::holdsParameters).count();
  }

  /** Each rank's share of a step is a subtree of its sum, and crosses in one piece. */
  private static RunConfiguration configuration() {
    TrainingConfiguration training =
        TinyRun.training()
            .steps(2 * INTERVAL)
            .batchSize(4)
            .logInterval(INTERVAL)
            .evalInterval(0)
            .build();
    return TinyRun.configuration(training, 0);
  }

  private static TrainingListener counting(
      List<OpenClBackend> backends, List<List<DeviceActivity>> logged) {
    return new TrainingListener() {
      @Override
      public void onStep(StepMetrics metrics) {
        for (int rank = 0; rank < backends.size(); rank++) {
          logged.get(rank).add(backends.get(rank).activity());
        }
      }
    };
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
    return TinyRun.train(run(configuration, dataset), ranks, TrainingListener.NONE, backends)
        .get(0);
  }

  private TrainingRun run(RunConfiguration configuration, TokenDataset dataset) throws Exception {
    String output = Files.createTempDirectory(folder, "run").toUri().toString();
    return new TrainingRun(
        configuration, dataset, RunFolder.of(new Configuration(false), output), true);
  }

  private static OpenClBackend open(int rank, int ranks) {
    OpenClOptions options = OpenClOptions.defaults().withPart(rank, ranks);
    return OpenClBackend.open(Devices.select(DeviceSelector.AUTO), options);
  }
}
