package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.models.GptConfiguration;
import org.sparkformer.opencl.DeviceSelector;
import org.sparkformer.opencl.Devices;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.opencl.OpenClOptions;
import org.sparkformer.tensor.Backend;
import org.sparkformer.training.configuration.DataConfiguration;
import org.sparkformer.training.configuration.RunConfiguration;

/**
 * What the README's table of memory per rank says, on an OpenCL device: a model of 10.7 million
 * parameters, four micro-batches of three sequences a step.
 */
@Tag("soak")
class MemoryPerRankTest {
  private static final GptConfiguration MODEL = GptConfiguration.of(6, 6, 384, 64, 65);

  @TempDir Path folder;

  /** The peaks are what the table says, in MB; a device may round its buffers up differently. */
  @ParameterizedTest
  @CsvSource({
    "1, 1, 290.9",
    "1, 2, 204.9",
    "1, 3, 188.1",
    "1, 4, 137.8",
    "3, 2, 157.5",
    "3, 3, 130.2",
    "3, 4, 88.2"
  })
  void aRankTakesWhatTheTableSays(int stage, int ranks, double expected, TestReporter reporter)
      throws Exception {
    List<Backend> backends =
        IntStream.range(0, ranks)
            .<Backend>mapToObj(
                rank ->
                    OpenClBackend.open(
                        Devices.select(DeviceSelector.AUTO), OpenClOptions.defaults()))
            .toList();
    RunConfiguration configuration =
        new RunConfiguration(
            "memory",
            MODEL,
            DataConfiguration.ofDataset("unused"),
            TinyRun.training().steps(1).batchSize(12).microBatchSize(3).zeroStage(stage).build());
    try (TokenDataset dataset =
        TinyDataset.open(Files.createDirectory(folder.resolve("data")), 2000, 0)) {
      String output = folder.resolve("run").toUri().toString();
      RunFolder run = RunFolder.of(new Configuration(false), output);
      TinyRun.train(
          new TrainingRun(configuration, dataset, run, true),
          ranks,
          TrainingListener.NONE,
          backends::get,
          Buckets.Sizes.STANDARD);
    }
    double peak =
        backends.stream().mapToLong(backend -> backend.memory().peakBytes()).max().orElse(0) / 1e6;
    reporter.publishEntry("stage %d, %d ranks".formatted(stage, ranks), "%.1f MB".formatted(peak));
    assertTrue(Math.abs(peak / expected - 1) < 0.05, "MB: " + peak);
  }
}
