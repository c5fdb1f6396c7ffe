package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.sparkformer.collective.Collective;
import org.sparkformer.collective.CollectiveOptions;
import org.sparkformer.collective.InProcessTransport;
import org.sparkformer.collective.SummationTree;
import org.sparkformer.collective.TreeCollective;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.models.BertConfiguration;
import org.sparkformer.models.Gpt;
import org.sparkformer.models.GptConfiguration;
import org.sparkformer.models.ModelConfiguration;
import org.sparkformer.models.ParameterLayout;
import org.sparkformer.opencl.DeviceSelector;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.reference.JavaBackend;
import org.sparkformer.training.MemoryEstimate.DeviceMemory;
import org.sparkformer.training.configuration.DataConfiguration;
import org.sparkformer.training.configuration.Precision;
import org.sparkformer.training.configuration.RunConfiguration;
import org.sparkformer.training.configuration.TrainingConfiguration;

class MemoryEstimateTest {
  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({"1, 0, false", "6, 0, false", "6, 0.1, false", "6, 0, true", "6, 0.1, true"})
  void theEstimateIsCloseToWhatTrainingTakes(int layers, double dropout, boolean recompute)
      throws Exception {
    checkEstimate(
        new GptConfiguration(layers, 2, 32, 16, TinyDataset.VOCABULARY, dropout, recompute),
        Precision.FP32,
        dataset());
  }

  @ParameterizedTest
  @CsvSource({"6, 0, false", "6, 0.1, false", "6, 0.1, true"})
  void theEstimateIsCloseToWhatTrainingInBfloat16Takes(
      int layers, double dropout, boolean recompute) throws Exception {
    checkEstimate(
        new GptConfiguration(layers, 2, 32, 16, TinyDataset.VOCABULARY, dropout, recompute),
        Precision.BF16,
        dataset());
    checkEstimate(
        new BertConfiguration(layers, 2, 32, 32, TinyDataset.MASKED_VOCABULARY, dropout, recompute),
        Precision.BF16,
        TinyDataset.masked(Files.createDirectory(folder.resolve("masked")), 100, 0));
  }

  @ParameterizedTest
  @CsvSource({"1, 0, false", "6, 0, false", "6, 0.1, false", "6, 0, true", "6, 0.1, true"})
  void theEstimateOfABertIsCloseToWhatTrainingTakes(int layers, double dropout, boolean recompute)
      throws Exception {
    int vocabulary = TinyDataset.MASKED_VOCABULARY;
    checkEstimate(
        new BertConfiguration(layers, 2, 32, 32, vocabulary, dropout, recompute),
        Precision.FP32,
        TinyDataset.masked(Files.createDirectory(folder.resolve("data")), 100, 0));
  }

  /** Of a size at which what the pool rounds up and kernels need besides are parts of it. */
  @ParameterizedTest
  @EnumSource
  void theEstimateIsCloseToWhatTrainingTakesOnAnOpenClDevice(Precision precision) throws Exception {
    checkEstimate(
        GptConfiguration.of(6, 6, 384, 64, 65),
        precision,
        TinyDataset.open(Files.createDirectory(folder.resolve("data")), 2000, 0),
        OpenClBackend.open(DeviceSelector.AUTO));
  }

  private void checkEstimate(ModelConfiguration model, Precision precision, TokenDataset opened)
      throws Exception {
    checkEstimate(model, precision, opened, new JavaBackend(1));
  }

  private void checkEstimate(
      ModelConfiguration model, Precision precision, TokenDataset opened, Backend device)
      throws Exception {
    RunConfiguration configuration = configuration(model, 4, precision);
    try (TokenDataset dataset = opened;
        Backend backend = device) {
      String output = folder.resolve("run-" + model.objective()).toUri().toString();
      TrainingRun run =
          new TrainingRun(
              configuration, dataset, RunFolder.of(new Configuration(false), output), true);
      TinyRun.train(run, 1, TrainingListener.NONE, rank -> backend);
      double taken = backend.memory().peakBytes();
      double ratio = MemoryEstimate.of(configuration, 2).total() / taken;
      assertTrue(ratio > 0.9 && ratio < 1.1, "estimate over real peak: " + ratio);
    }
  }

  /** Eight micro-batches: a rank of 1, 2 and 4 keeps 4, 3 and 2 gradient vectors at once. */
  @ParameterizedTest
  @CsvSource({"1, 4", "2, 3", "4, 2"})
  void theOptimizerTakesAnNthPartOnEachRank(int ranks, int gradientVectors) throws Exception {
    GptConfiguration model = new GptConfiguration(6, 2, 32, 8, TinyDataset.VOCABULARY, 0, true);
    RunConfiguration configuration = configuration(model, 1);
    ParameterLayout layout = Gpt.layout(model);
    List<Backend> backends =
        Stream.generate(() -> (Backend) new JavaBackend(1)).limit(ranks).toList();
    try (TokenDataset dataset = dataset()) {
      String output = folder.resolve("run").toUri().toString();
      TrainingRun run =
          new TrainingRun(
              configuration, dataset, RunFolder.of(new Configuration(false), output), true);
      TinyRun.train(run, ranks, TrainingListener.NONE, backends::get);
    }
    Buckets buckets = Buckets.of(layout, ranks, TinyRun.SIZES);
    MemoryEstimate whole = MemoryEstimate.of(configuration, gradientVectors);
    long saved = 8 * (layout.size() - layout.size() / ranks);
    for (int rank = 0; rank < ranks; rank++) {
      long estimate = whole.total() - 8 * (layout.size() - buckets.owned(rank));
      double ratio = estimate / (double) backends.get(rank).memory().peakBytes();
      assertTrue(ratio > 0.95 && ratio < 1.05, "estimate over real peak: " + ratio);
      long slack = 8L * Slice.BLOCK * buckets.all().size();
      assertEquals(whole.total() - saved, estimate, slack);
    }
  }

  /**
   * Eight micro-batches: a rank of 2, 4 and 8 adds up 4, 2 and 1 rounds, one of 3 and 5 parts of
   * rounds.
   */
  @ParameterizedTest
  @CsvSource({"2, false", "3, false", "4, false", "4, true", "5, true", "8, true"})
  void theEstimateIsCloseToWhatRanksTakeThatShareTheWeights(int ranks, boolean recompute)
      throws Exception {
    GptConfiguration model =
        new GptConfiguration(8, 2, 32, 8, TinyDataset.VOCABULARY, 0.1, recompute);
    RunConfiguration whole = configuration(model, 1);
    RunConfiguration configuration =
        new RunConfiguration(
            "memory", model, whole.data(), whole.training().toBuilder().zeroStage(3).build());
    List<Backend> backends =
        Stream.generate(() -> (Backend) new JavaBackend(1)).limit(ranks).toList();
    try (TokenDataset dataset = dataset()) {
      String output = folder.resolve("run").toUri().toString();
      TrainingRun run =
          new TrainingRun(
              configuration, dataset, RunFolder.of(new Configuration(false), output), true);
      TinyRun.train(run, ranks, TrainingListener.NONE, backends::get);
    }
    for (InProcessTransport transport : InProcessTransport.group("estimate", 0, ranks)) {
      try (Collective collective = collective(transport)) {
        Backend backend = backends.get(collective.rank());
        MemoryEstimate estimate =
            MemoryEstimate.of(configuration, new Rank(backend, collective, TinyRun.SIZES));
        double ratio = estimate.total() / (double) backend.memory().peakBytes();
        assertTrue(ratio > 0.9 && ratio < 1.1, "estimate over real peak: " + ratio);
      }
    }
  }

  private static Collective collective(InProcessTransport transport) {
    CollectiveOptions options = CollectiveOptions.of("estimate", 0, Duration.ofSeconds(60));
    return new TreeCollective(new SummationTree(8), transport, options);
  }

  @ParameterizedTest
  @CsvSource({"1", "2", "3", "4"})
  void aModelsStateOnADeviceIsTheWeightsAndAnNthPartOfTheMoments(int ranks) {
    ParameterLayout layout = Gpt.layout(GptConfiguration.of(4, 4, 256, 64, 65));
    Buckets buckets = Buckets.of(layout, ranks, Buckets.Sizes.STANDARD);
    for (int rank = 0; rank < ranks; rank++) {
      try (Backend backend = OpenClBackend.open(DeviceSelector.AUTO)) {
        long before = backend.memory().bytes();
        try (ModelState state = ModelState.allocate(backend, buckets, rank, true, DType.FLOAT32)) {
          double taken = (backend.memory().bytes() - before) / (double) (4 * layout.size());
          double expected = 1 + 2.0 / ranks;
          // The pool rounds each vector up by an eighth at most; slices differ by a block a bucket.
          assertTrue(taken > 0.99 * expected && taken < 1.13 * expected, "vectors: " + taken);
          assertEquals(layout.size() / ranks, state.firstMoment().size(), 8 * Slice.BLOCK);
        }
      }
    }
  }

  @Test
  void aModelTooLargeForTheDeviceIsRefusedWithAdvice() {
    RunConfiguration configuration =
        configuration(new GptConfiguration(96, 96, 12288, 2048, 50257, 0, false), 1);
    MemoryEstimate estimate = MemoryEstimate.of(configuration, 1);
    try (Backend backend = new JavaBackend()) {
      String message =
          assertThrows(
                  IllegalArgumentException.class,
                  () -> estimate.requireFits(configuration, DeviceMemory.of(backend)))
              .getMessage();
      assertTrue(message.contains("model.recompute_activations"), message);
      assertTrue(message.contains("MiB"), message);
    }
  }

  @Test
  void aTensorLargerThanTheLargestBufferIsRefusedWithAdvice() {
    GptConfiguration wide = GptConfiguration.of(1, 2, 64, 8, 50257);
    assertRefusedByLargest(wide, 1, "the parameters take 13 MiB: use a smaller model");
    GptConfiguration deep = GptConfiguration.of(1, 2, 64, 512, 11);
    assertRefusedByLargest(deep, 8, "lower training.micro_batch_size (now 8)");
  }

  private static void assertRefusedByLargest(GptConfiguration model, int microBatch, String part) {
    RunConfiguration configuration = configuration(model, microBatch);
    DeviceMemory device = new DeviceMemory("a device", 1L << 40, 1 << 20, false);
    MemoryEstimate estimate = MemoryEstimate.of(configuration, 1);
    String message =
        assertThrows(
                IllegalArgumentException.class, () -> estimate.requireFits(configuration, device))
            .getMessage();
    assertTrue(message.startsWith("one buffer of a device holds at most 1 MiB"), message);
    assertTrue(message.contains(part), message);
  }

  @Test
  void aCheckpointBeingWrittenCountsWhereTheDeviceIsTheHost() {
    RunConfiguration configuration = configuration(GptConfiguration.of(1, 2, 64, 8, 50257), 1);
    MemoryEstimate estimate = MemoryEstimate.of(configuration, 1);
    long bytes = estimate.total();
    estimate.requireFits(configuration, new DeviceMemory("a device", bytes, bytes, false));
    DeviceMemory host = new DeviceMemory("a host", bytes, bytes, true);
    String message =
        assertThrows(
                IllegalArgumentException.class, () -> estimate.requireFits(configuration, host))
            .getMessage();
    assertTrue(message.contains("a checkpoint being written 38 MiB"), message);
  }

  @Test
  void moreAndLargerMicroBatchesTakeMore() {
    GptConfiguration model = GptConfiguration.of(2, 2, 64, 64, 50257);
    MemoryEstimate one = MemoryEstimate.of(configuration(model, 1), 1);
    MemoryEstimate four = MemoryEstimate.of(configuration(model, 4), 3);
    assertEquals(4 * one.activations(), four.activations());
    assertEquals(3 * one.gradients(), four.gradients());
    assertEquals(one.weights(), four.weights());
  }

  private TokenDataset dataset() throws Exception {
    return TinyDataset.open(Files.createDirectory(folder.resolve("data")), 100, 0);
  }

  private static RunConfiguration configuration(ModelConfiguration model, int microBatchSize) {
    return configuration(model, microBatchSize, Precision.FP32);
  }

  private static RunConfiguration configuration(
      ModelConfiguration model, int microBatchSize, Precision precision) {
    TrainingConfiguration training =
        TinyRun.training()
            .steps(2)
            .batchSize(8)
            .microBatchSize(microBatchSize)
            .precision(precision)
            .build();
    return new RunConfiguration("memory", model, DataConfiguration.ofDataset("unused"), training);
  }
}
