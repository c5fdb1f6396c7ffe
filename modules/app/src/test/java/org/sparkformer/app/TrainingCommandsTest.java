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

/** The commands one after another, as a user gives them. */
class TrainingCommandsTest {
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
            model: {layers: 1, heads: 2, width: 16, context: 8}
            data: {tokenizer: char}
            training: {steps: 6, batch_size: 4, micro_batch_size: 2, eval_interval: 3, eval_batches: 2,
              checkpoint_interval: 3, log_interval: 1, warmup_steps: 2}
            """);
  }

  @Test
  void trainsFromRawTextThenGeneratesAndEvaluates() throws Exception {
    Path run = folder.resolve("run");
    train(run, "--ranks", "2", "--master", "local[2]");
    JsonNode summary = JSON.readTree(run.resolve("run.json").toFile());
    assertEquals(6, summary.get("steps").asInt());
    assertEquals(2, summary.get("ranks").asInt());
    assertTrue(Files.exists(run.resolve("report.html")));
    assertTrue(out.toString().contains(summary.get("weights_sha256").asText()));

    out.getBuffer().setLength(0);
    run("generate", run.toString(), "--prompt", "to be", "--tokens", "5");
    assertTrue(out.toString().startsWith("to be") && out.toString().length() > 8, out.toString());

    out.getBuffer().setLength(0);
    run("evaluate", run.toString());
    JsonNode evaluation = JSON.readTree(out.toString());
    double loss = evaluation.get("loss").asDouble();
    assertEquals(summary.get("val_loss").asDouble(), loss, 0.2);
    assertEquals(Math.exp(loss), evaluation.get("perplexity").asDouble(), 1e-9);
    assertEquals(loss / Math.log(2), evaluation.get("bits_per_byte").asDouble(), 1e-9);
    double hits = evaluation.get("accuracy").asDouble() * evaluation.get("tokens").asInt();
    assertTrue(hits >= 0 && hits <= evaluation.get("tokens").asInt(), "hits " + hits);
    assertEquals(Math.rint(hits), hits, 1e-6);
  }

  @Test
  void aCompleteRunDoesNothingAndAnotherConfigurationIsStillRefused() throws Exception {
    Path run = folder.resolve("run");
    train(run, "--device", "java");
    String digest = JSON.readTree(run.resolve("run.json").toFile()).get("weights_sha256").asText();
    Files.move(text, folder.resolve("elsewhere.txt"));
    out.getBuffer().setLength(0);
    error.getBuffer().setLength(0);
    train(run, "--device", "java");
    assertEquals(
        "%s is complete: 6 steps, weights sha256 %s\n".formatted(run, digest), out.toString());
    assertEquals("", error.toString());
    Files.move(folder.resolve("elsewhere.txt"), text);
    List<String> longer = new ArrayList<>(List.of("train", configuration.toString()));
    longer.addAll(List.of("--set", "data.input=" + text, "--out", run.toString()));
    longer.addAll(List.of("--set", "training.steps=9", "--device", "java"));
    assertEquals(2, execute(longer.toArray(String[]::new)));
    assertTrue(error.toString().contains("training.steps is 9 now"), error.toString());
  }

  @Test
  void aBuiltDatasetAndATrainedTokenizerServe() throws Exception {
    Path tokenizer = folder.resolve("tokenizer.json");
    run(
        "tokenizer",
        "train",
        text.toString(),
        "--vocab-size",
        "270",
        "--out",
        tokenizer.toString());
    Path dataset = folder.resolve("dataset");
    run(
        "dataset",
        "build",
        text.toString(),
        "--tokenizer",
        tokenizer.toString(),
        "--out",
        dataset.toString());
    Path run = folder.resolve("run");
    run(
        "train",
        configuration.toString(),
        "--out",
        run.toString(),
        "--set",
        "data.dataset=" + dataset,
        "--set",
        "data.tokenizer=" + tokenizer);
    JsonNode model = JSON.readTree(run.resolve("run.json").toFile()).at("/configuration/model");
    assertTrue(model.get("vocab_size").asInt() > 256, model.toString());

    String given = evaluation(run, "--dataset", dataset.toString());
    assertEquals(given, evaluation(run));
    assertEquals(given, evaluation(run.resolve("checkpoints/step-00000006")));
    Files.move(dataset, folder.resolve("elsewhere"));
    assertEquals(2, execute("evaluate", run.toString()));
    assertEquals(
        "sparkformer: %s was trained on %s, which is no dataset here: give --dataset DIR, a folder that 'sparkformer dataset build' has written\n"
            .formatted(run, dataset),
        error.toString().replaceAll("(?s).*(?=sparkformer:)", ""));
  }

  @Test
  void badInputIsRefusedBeforeTraining() {
    Path run = folder.resolve("run");
    assertRefused("no-such-file.txt", "--set", "data.input=no-such-file.txt");
    assertRefused(
        "the tokenizer has 14 tokens but model.vocab_size is 3",
        "--set",
        "model.vocab_size=3",
        "--set",
        "data.input=" + text);
    assertRefused("between 1 and 2 ranks", "--ranks", "3", "--set", "data.input=" + text);
    assertRefused(
        "no OpenCL device matches 'abacus'", "--device", "abacus", "--set", "data.input=" + text);
    assertRefused(
        "--master moon: expected local[N]", "--master", "moon", "--set", "data.input=" + text);
    assertTrue(Files.notExists(run.resolve("checkpoints")));
    assertEquals(2, execute("evaluate", run.toString()));
    assertTrue(error.toString().contains(run + " holds no model: give "), error.toString());
  }

  private String evaluation(Path model, String... options) {
    out.getBuffer().setLength(0);
    List<String> arguments = new ArrayList<>(List.of("evaluate", model.toString()));
    arguments.addAll(List.of("--split", "train"));
    arguments.addAll(List.of(options));
    run(arguments.toArray(String[]::new));
    return out.toString();
  }

  @Test
  void divergenceIsAFailureAndNotBadInput() {
    List<String> arguments = new ArrayList<>(List.of("train", configuration.toString()));
    arguments.addAll(List.of("--out", folder.resolve("wild").toString(), "--device", "java"));
    for (String override :
        List.of(
            "data.input=" + text,
            "training.steps=60",
            "training.learning_rate=9.9",
            "training.weight_decay=9.9",
            "training.clip=0")) {
      arguments.addAll(List.of("--set", override));
    }
    assertEquals(1, execute(arguments.toArray(String[]::new)), error::toString);
    assertTrue(error.toString().contains("training has diverged"), error.toString());
  }

  private void assertRefused(String complaint, String... options) {
    error.getBuffer().setLength(0);
    List<String> arguments = new ArrayList<>(List.of("train", configuration.toString()));
    arguments.addAll(List.of("--out", folder.resolve("run").toString()));
    arguments.addAll(List.of(options));
    assertEquals(2, execute(arguments.toArray(String[]::new)));
    String last = error.toString().lines().reduce((first, second) -> second).orElse("");
    assertTrue(last.startsWith("sparkformer: ") && last.contains(complaint), error.toString());
  }

  private void train(Path run, String... options) {
    List<String> arguments = new ArrayList<>(List.of("train", configuration.toString()));
    arguments.addAll(List.of("--set", "data.input=" + text, "--out", run.toString()));
    arguments.addAll(List.of(options));
    run(arguments.toArray(String[]::new));
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
