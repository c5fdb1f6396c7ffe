package org.sparkformer.training.configuration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;
import org.sparkformer.models.GptConfiguration;

class RunConfigurationTest {
  private static final TrainingConfiguration DEFAULTS = TrainingConfiguration.DEFAULTS;

  @Test
  void survivesJson() throws Exception {
    RunConfiguration run =
        new RunConfiguration(
            "toy",
            GptConfiguration.of(2, 2, 16, 8, 65),
            DataConfiguration.ofInput("text.txt", "char"),
            DEFAULTS.toBuilder().steps(7).seed(1L << 40).build());
    ObjectMapper json = new ObjectMapper();
    assertEquals(run, json.readValue(json.writeValueAsString(run), RunConfiguration.class));
  }

  @Test
  void refusesAMicroBatchThatDoesNotDivideTheBatch() {
    assertRefused(
        "training.micro_batch_size must divide training.batch_size (12), but is 5",
        DEFAULTS.toBuilder().batchSize(12).microBatchSize(5));
  }

  @Test
  void refusesValuesOutOfRangeByTheirKeyInTheFile() {
    assertRefused("training.steps must be at least 1, but is 0", DEFAULTS.toBuilder().steps(0));
    assertRefused(
        "training.learning_rate must be above 0 and below 10, but is NaN",
        DEFAULTS.toBuilder().learningRate(Double.NaN));
    assertRefused(
        "training.min_learning_rate must be between 0 and training.learning_rate (6.0E-4), but is"
            + " 0.1",
        DEFAULTS.toBuilder().minLearningRate(0.1));
    assertRefused(
        "training.beta2 must be at least 0 and below 1, but is 1.0", DEFAULTS.toBuilder().beta2(1));
    assertRefused(
        "training.keep_checkpoints must be at least 1, but is 0",
        DEFAULTS.toBuilder().keepCheckpoints(0));
  }

  @Test
  void countsMicroBatches() {
    assertEquals(4, DEFAULTS.toBuilder().batchSize(12).microBatchSize(3).build().microBatches());
  }

  private static void assertRefused(String message, TrainingConfigurationBuilder builder) {
    assertEquals(
        message, assertThrows(IllegalArgumentException.class, builder::build).getMessage());
  }
}
