package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.models.BertConfiguration;
import org.sparkformer.training.configuration.DataConfiguration;
import org.sparkformer.training.configuration.RunConfiguration;
import org.sparkformer.training.configuration.TrainingConfiguration;

/** A tiny BERT's whole training: what holds for a GPT holds for it. */
class BertRunTest extends TinyRuns {
  private static final int CONTEXT = 20;

  @Override
  TokenDataset dataset(Path data) throws IOException {
    return TinyDataset.masked(data, 200, 40);
  }

  @ParameterizedTest
  @CsvSource({"2, 6, 1", "3, 6, 1", "4, 7, 1", "2, 6, 3"})
  void anyNumberOfRanksGivesTheSameBits(int ranks, int leaves, int stage) throws Exception {
    TrainingConfiguration training = TinyRun.training().batchSize(leaves).build();
    RunSummary alone = train("one", configuration(training, 0.15), 1);
    TrainingConfiguration shared = training.toBuilder().zeroStage(stage).build();
    for (RunSummary rank :
        TinyRun.train(run("many", configuration(shared, 0.15)), ranks, TrainingListener.NONE)) {
      assertEquals(alone.weightsSha256(), rank.weightsSha256());
      assertEquals(alone.loss(), rank.loss());
      assertEquals(alone.valLoss(), rank.valLoss());
    }
  }

  @Test
  void aResumedRunEndsWithTheWeightsItWouldHaveHad() throws Exception {
    TrainingConfiguration training = TinyRun.training().checkpointInterval(2).build();
    RunConfiguration configuration = configuration(training, 0.15);
    RunSummary straight = train("straight", configuration, 1);
    assertThrows(
        IllegalStateException.class,
        () -> TinyRun.train(run("broken", configuration), 2, stoppingAfter(6)));
    RunSummary resumed = train("broken", configuration, 1);
    assertEquals(straight.weightsSha256(), resumed.weightsSha256());
    assertEquals(straight.valLoss(), resumed.valLoss());
    IllegalArgumentException refused =
        assertThrows(
            IllegalArgumentException.class, () -> train("broken", configuration(training, 0.3), 1));
    assertTrue(refused.getMessage().contains("data.mask_fraction"), refused.getMessage());
  }

  @Test
  void aCheckpointIsAFolderOfABertForMaskedTokens() throws Exception {
    train("run", configuration(TinyRun.training().build(), 0.15), 1);
    Path checkpoint = folder.resolve("run/checkpoints/step-00000006");
    JsonNode written = Json.tree(Files.readAllBytes(checkpoint.resolve("config.json")));
    assertEquals("BertForMaskedLM", written.at("/architectures/0").asText());
    assertEquals(0, written.get("pad_token_id").asInt(-1));
  }

  private static RunConfiguration configuration(
      TrainingConfiguration training, double maskFraction) {
    DataConfiguration data = DataConfiguration.ofDataset("unused");
    return new RunConfiguration(
        "tiny",
        new BertConfiguration(2, 2, 16, CONTEXT, TinyDataset.MASKED_VOCABULARY, 0.1, false),
        new DataConfiguration(
            null,
            data.dataset(),
            data.tokenizer(),
            data.textColumn(),
            data.documents(),
            data.validationFraction(),
            maskFraction),
        training);
  }
}
