package org.sparkformer.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The commands on a BERT, as a user gives them. */
class BertCommandsTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path folder;
  private final StringWriter out = new StringWriter();
  private final StringWriter error = new StringWriter();
  private Path text;
  private Path configuration;

  @BeforeEach
  void write() throws IOException {
    text =
        Files.writeString(
            folder.resolve("text.txt"), "to be or not to be, that is it.\n".repeat(60));
    configuration =
        Files.writeString(
            folder.resolve("toy.yaml"),
            """
            model: {architecture: bert, layers: 1, heads: 2, width: 16, context: 16, vocab_size: 280}
            data: {tokenizer: masked-bpe, mask_fraction: 0.25}
            training: {steps: 6, batch_size: 4, micro_batch_size: 2, eval_interval: 3, eval_batches: 2,
              checkpoint_interval: 3, log_interval: 1, warmup_steps: 2}
            """);
  }

  @Test
  void trainsTheSameWeightsOnOneAndTwoRanksAndEvaluatesThem() throws Exception {
    Path one = folder.resolve("one");
    Path two = folder.resolve("two");
    JsonNode alone = train(one);
    JsonNode pair = train(two, "--ranks", "2", "--master", "local[2]");
    assertEquals(2, pair.get("ranks").asInt());
    assertEquals(alone.get("weights_sha256"), pair.get("weights_sha256"));
    assertEquals(alone.get("val_loss"), pair.get("val_loss"));

    JsonNode evaluation = evaluate(one);
    double loss = evaluation.get("loss").asDouble();
    double hits = evaluation.get("accuracy").asDouble() * evaluation.get("tokens").asInt();
    assertEquals(Math.exp(loss), evaluation.get("perplexity").asDouble(), 1e-9);
    assertTrue(hits >= 0 && hits <= evaluation.get("tokens").asInt(), "hits " + hits);
    assertEquals(Math.rint(hits), hits, 1e-6);
    assertTrue(!evaluation.has("bits_per_byte"), evaluation.toString());
    assertEquals(evaluation, evaluate(two));
    // A quarter of 16 of each window.
    assertEquals(0, evaluation.get("tokens").asInt() % 4);
    assertEquals(alone.get("val_loss").asDouble(), loss, 0.2);

    assertEquals(2, execute("generate", one.toString(), "--prompt", "to be"));
    assertTrue(error.toString().contains("this model is a BERT: it fills in"), error.toString());
  }

  @Test
  void aDatasetWithoutTheMaskIsRefusedBeforeTraining() {
    Path dataset = folder.resolve("dataset");
    run(
        "dataset",
        "build",
        text.toString(),
        "--tokenizer",
        "bpe",
        "--vocab-size",
        "270",
        "--out",
        dataset.toString());
    String[] train = {
      "train",
      configuration.toString(),
      "--out",
      folder.resolve("run").toString(),
      "--set",
      "data.dataset=" + dataset
    };
    assertEquals(2, execute(train));
    assertTrue(error.toString().contains("no special token [PAD]"), error.toString());
    assertTrue(Files.notExists(folder.resolve("run/checkpoints")));
  }

  private JsonNode train(Path run, String... options) throws IOException {
    List<String> arguments = new ArrayList<>(List.of("train", configuration.toString()));
    arguments.addAll(List.of("--set", "data.input=" + text, "--out", run.toString()));
    arguments.addAll(List.of(options));
    run(arguments.toArray(String[]::new));
    return JSON.readTree(run.resolve("run.json").toFile());
  }

  private JsonNode evaluate(Path run) throws IOException {
    out.getBuffer().setLength(0);
    run("evaluate", run.toString(), "--mask-fraction", "0.25");
    return JSON.readTree(out.toString());
  }

  private void run(String... arguments) {
    assertEquals(0, execute(arguments), error::toString);
  }

  private int execute(String... arguments) {
    CommandLine command = Sparkformer.commandLine();
    command.setOut(new PrintWriter(out)).setErr(new PrintWriter(error));
    return command.execute(arguments);
  }
}
