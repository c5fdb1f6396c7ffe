package org.sparkformer.spark;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.sparkformer.models.GptConfiguration;
import org.sparkformer.training.configuration.DataConfiguration;
import org.sparkformer.training.configuration.RunConfiguration;
import org.sparkformer.training.configuration.TrainingConfiguration;

class MemoryEstimateTest {
  private static final GptConfiguration GPT2 = GptConfiguration.of(12, 12, 768, 1024, 50257);

  @Test
  void countsWeightsMomentsSumsAndActivations() {
    MemoryEstimate four = MemoryEstimate.of(run(GPT2, 4), 1);
    long parameters = four.state() / 12;
    assertTrue(parameters >= 124_439_808 && parameters < 124_500_000, "parameters " + parameters);
    // Four micro-batches on one rank: two whole sums and the one being filled.
    assertEquals(3 * 4 * parameters, four.gradients());
    assertEquals(4L * 1024 * 768 * 16 * 12, four.activations());
  }

  @Test
  void moreRanksNeedFewerSums() {
    assertTrue(
        MemoryEstimate.of(run(GPT2, 4), 4).gradients()
            < MemoryEstimate.of(run(GPT2, 4), 1).gradients());
  }

  @Test
  void refusesWhatDoesNotFitAndSaysWhatTakesHowMuch() {
    MemoryEstimate estimate = MemoryEstimate.of(run(GPT2, 1), 1);
    assertDoesNotThrow(() -> estimate.requireFits(estimate.total(), "device"));
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> estimate.requireFits(estimate.total() - 1, "a small device"))
            .getMessage();
    assertTrue(
        message.startsWith("too little memory: a rank needs at least 2.4 GiB (weights"), message);
    assertTrue(message.contains("of a small device; lower training.micro_batch_size"), message);
  }

  private static RunConfiguration run(GptConfiguration model, int batch) {
    return new RunConfiguration(
        "estimate",
        model,
        DataConfiguration.ofDataset("unused"),
        TrainingConfiguration.DEFAULTS.toBuilder().batchSize(batch).microBatchSize(1).build());
  }
}
