package org.sparkformer.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands on a BERT, as a user gives them. */
class BertCommandsTest {
  private ToyProject project;

  @BeforeEach
  void write(@TempDir Path folder) throws IOException {
    project =
        new ToyProject(
            folder,
            """
            model: {architecture: bert, layers: 1, heads: 2, width: 16, context: 16, vocab_size: 280}
            data: {tokenizer: masked-bpe, mask_fraction: 0.25}
            training: {steps: 6, batch_size: 4, micro_batch_size: 2, eval_interval: 3, eval_batches: 2,
              checkpoint_interval: 3, log_interval: 1, warmup_steps: 2}
            """);
  }

  @Test
  void trainsTheSameWeightsOnOneAndTwoRanksAndEvaluatesThem() throws Exception {
    JsonNode alone = project.train("one");
    JsonNode pair = project.train("two", "--ranks", "2", "--master", "local[2]");
    assertEquals(2, pair.get("ranks").asInt());
    assertEquals(alone.get("weights_sha256"), pair.get("weights_sha256"));
    assertEquals(alone.get("val_loss"), pair.get("val_loss"));

    JsonNode evaluation = evaluate("one");
    double loss = evaluation.get("loss").asDouble();
    double hits = evaluation.get("accuracy").asDouble() * evaluation.get("tokens").asInt();
    assertEquals(Math.exp(loss), evaluation.get("perplexity").asDouble(), 1e-9);
    assertTrue(hits >= 0 && hits <= evaluation.get("tokens").asInt(), "hits " + hits);
    assertEquals(Math.rint(hits), hits, 1e-6);
    assertTrue(!evaluation.has("bits_per_byte"), evaluation.toString());
    assertEquals(evaluation, evaluate("two"));
    // A quarter of 16 of each window.
    assertEquals(0, evaluation.get("tokens").asInt() % 4);
    assertEquals(alone.get("val_loss").asDouble(), loss, 0.2);

    String run = project.run("one").toString();
    assertEquals(2, project.execute("generate", run, "--prompt", "to be"));
    assertTrue(project.error().contains("this model is a BERT: it fills in"), project.error());
  }

  @Test
  void aDatasetWithoutTheMaskIsRefusedBeforeTraining() {
    String dataset = project.run("dataset").toString();
    String text = project.text().toString();
    project.succeed(
        "dataset", "build", text, "--tokenizer", "bpe", "--vocab-size", "270", "--out", dataset);
    assertEquals(2, project.execute(project.training("run", "--set", "data.dataset=" + dataset)));
    assertTrue(project.error().contains("no special token [PAD]"), project.error());
    assertTrue(Files.notExists(project.run("run").resolve("checkpoints")));
  }

  private JsonNode evaluate(String run) throws IOException {
    return project.json("evaluate", project.run(run).toString(), "--mask-fraction", "0.25");
  }
}
