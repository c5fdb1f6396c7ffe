package org.sparkformer.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands one after another, as a user gives them. */
class TrainingCommandsTest {
  @TempDir private Path folder;
  private ToyProject project;

  @BeforeEach
  void write() throws IOException {
    project =
        new ToyProject(
            folder,
            """
            model: {layers: 1, heads: 2, width: 16, context: 8}
            data: {tokenizer: char}
            training: {steps: 6, batch_size: 4, micro_batch_size: 2, eval_interval: 3, eval_batches: 2,
              checkpoint_interval: 3, log_interval: 1, warmup_steps: 2}
            """);
  }

  @Test
  void trainsFromRawTextThenGeneratesAndEvaluates() throws Exception {
    JsonNode summary = project.train("run", "--ranks", "2", "--master", "local[2]");
    Path run = project.run("run");
    assertEquals(6, summary.get("steps").asInt());
    assertEquals(2, summary.get("ranks").asInt());
    assertTrue(Files.exists(run.resolve("report.html")));
    assertTrue(project.out().contains(summary.get("weights_sha256").asText()));

    String words = project.output("generate", run.toString(), "--prompt", "to be", "--tokens", "5");
    assertTrue(words.startsWith("to be") && words.length() > 8, words);
    assertEquals(2, project.execute("generate", run.toString(), "--device", "abacus"));
    assertTrue(project.error().contains("no OpenCL device matches 'abacus'"), project.error());

    assertEquals(2, project.execute("evaluate", run.toString(), "--mask-fraction", "0.2"));
    assertTrue(project.error().contains("--mask-fraction: this model is a GPT"), project.error());

    JsonNode evaluation = project.json("evaluate", run.toString());
    double loss = evaluation.get("loss").asDouble();
    assertEquals(summary.get("val_loss").asDouble(), loss, 0.2);
    assertEquals(Math.exp(loss), evaluation.get("perplexity").asDouble(), 1e-9);
    assertEquals(loss / Math.log(2), evaluation.get("bits_per_byte").asDouble(), 1e-9);
    double hits = evaluation.get("accuracy").asDouble() * evaluation.get("tokens").asInt();
    assertTrue(hits >= 0 && hits <= evaluation.get("tokens").asInt(), "hits " + hits);
    assertEquals(Math.rint(hits), hits, 1e-6);

    JsonNode one = project.json("evaluate", run.toString(), "--windows", "3", "--batch", "1");
    JsonNode two = project.json("evaluate", run.toString(), "--windows", "3", "--batch", "2");
    assertEquals(one.get("tokens"), two.get("tokens"));
    assertEquals(one.get("loss").asDouble(), two.get("loss").asDouble(), 1e-5);
  }

  @Test
  void aCompleteRunDoesNothingAndAnotherConfigurationIsStillRefused() throws Exception {
    JsonNode summary = project.train("run", "--device", "java");
    Path elsewhere = folder.resolve("elsewhere.txt");
    Files.move(project.text(), elsewhere);
    project.clear();
    project.train("run", "--device", "java");
    String digest = summary.get("weights_sha256").asText();
    assertEquals(
        "%s is complete: 6 steps, weights sha256 %s\n".formatted(project.run("run"), digest),
        project.out());
    assertEquals("", project.error());
    Files.move(elsewhere, project.text());
    String[] longer =
        project.training(
            "run", "--set", project.inputOption(), "--set", "training.steps=9", "--device", "java");
    assertEquals(2, project.execute(longer));
    assertTrue(project.error().contains("training.steps is 9 now"), project.error());
  }

  @Test
  void aBuiltDatasetAndATrainedTokenizerServe() throws Exception {
    String text = project.text().toString();
    String tokenizer = folder.resolve("tokenizer.json").toString();
    Path dataset = folder.resolve("dataset");
    project.succeed("tokenizer", "train", text, "--vocab-size", "270", "--out", tokenizer);
    project.succeed(
        "dataset", "build", text, "--tokenizer", tokenizer, "--out", dataset.toString());
    String[] sources = {"--set", "data.dataset=" + dataset, "--set", "data.tokenizer=" + tokenizer};
    project.clear();
    assertEquals(2, project.execute("dataset", "build", text, "--out", dataset.toString()));
    assertEquals(
        "sparkformer: %s already holds a dataset; choose another folder, or ask to overwrite it\n"
            .formatted(dataset),
        project.error());
    project.succeed(project.training("run", sources));
    JsonNode model = project.summary("run").at("/configuration/model");
    assertTrue(model.get("vocab_size").asInt() > 256, model.toString());

    Path run = project.run("run");
    String given = evaluation(run, "--dataset", dataset.toString());
    assertEquals(given, evaluation(run));
    assertEquals(given, evaluation(run.resolve("checkpoints/step-00000006")));
    Files.move(dataset, folder.resolve("elsewhere"));
    assertEquals(2, project.execute("evaluate", run.toString()));
    assertEquals(
        "sparkformer: %s was trained on %s, which is no dataset here: give --dataset DIR, a folder that 'sparkformer dataset build' has written\n"
            .formatted(run, dataset),
        project.error().replaceAll("(?s).*(?=sparkformer:)", ""));
  }

  private String evaluation(Path model, String... options) {
    List<String> arguments =
        new ArrayList<>(List.of("evaluate", model.toString(), "--split", "train"));
    arguments.addAll(List.of(options));
    return project.output(arguments.toArray(String[]::new));
  }

  @Test
  void badInputIsRefusedBeforeTraining() {
    assertRefused("no-such-file.txt", "--set", "data.input=no-such-file.txt");
    String input = project.inputOption();
    assertRefused(
        "the tokenizer has 14 tokens but model.vocab_size is 3",
        "--set",
        "model.vocab_size=3",
        "--set",
        input);
    assertRefused("between 1 and 2 ranks", "--ranks", "3", "--set", input);
    assertRefused("no OpenCL device matches 'abacus'", "--device", "abacus", "--set", input);
    assertRefused("--master moon: expected local[N]", "--master", "moon", "--set", input);
    Path run = project.run("run");
    assertTrue(Files.notExists(run.resolve("checkpoints")));
    assertEquals(2, project.execute("evaluate", run.toString()));
    assertTrue(project.error().contains(run + " holds no model: give "), project.error());
  }

  @Test
  void aFileThatIsNotOfItsFormatIsBadInput() {
    String text = project.text().toString();
    for (String format : List.of("JSONL", "PARQUET")) {
      project.clear();
      String out = folder.resolve("dataset").toString();
      assertEquals(2, project.execute("dataset", "build", text, "--format", format, "--out", out));
      String start = "sparkformer: cannot read file:" + text;
      assertTrue(project.error().startsWith(start), project.error());
      assertEquals(1, project.error().lines().count(), project.error());
    }
  }

  private void assertRefused(String complaint, String... options) {
    project.clear();
    assertEquals(2, project.execute(project.training("run", options)));
    String last = project.error().lines().reduce((first, second) -> second).orElse("");
    assertTrue(last.startsWith("sparkformer: ") && last.contains(complaint), project.error());
  }

  @Test
  void divergenceIsAFailureAndNotBadInput() {
    List<String> options = new ArrayList<>(List.of("--device", "java"));
    for (String override :
        List.of(
            project.inputOption(),
            "training.steps=60",
            "training.learning_rate=9.9",
            "training.weight_decay=9.9",
            "training.clip=0")) {
      options.addAll(List.of("--set", override));
    }
    String[] wild = project.training("wild", options.toArray(String[]::new));
    assertEquals(1, project.execute(wild), project::error);
    assertTrue(project.error().contains("training has diverged"), project.error());
  }
}
