package org.sparkformer.app.configuration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.app.InputException;
import org.sparkformer.models.BertConfiguration;
import org.sparkformer.models.GptConfiguration;
import org.sparkformer.training.configuration.DataConfiguration;
import org.sparkformer.training.configuration.Documents;
import org.sparkformer.training.configuration.RunConfiguration;
import org.sparkformer.training.configuration.TrainingConfiguration;

class ConfigurationReaderTest {
  private static final String TOY =
      """
      model:
        layers: 2
        heads: 2
        width: 16
        context: 8
      data:
        input: text.txt
        documents: lines
      training:
        steps: 20
        learning_rate: 1e-3
      """;

  @TempDir private Path folder;
  private Path file;

  @BeforeEach
  void write() throws IOException {
    file = Files.writeString(folder.resolve("toy.yaml"), TOY);
  }

  @Test
  void fillsInDefaultsAndTheTokenizersVocabulary() throws Exception {
    RunConfiguration run = read();
    assertEquals("toy", run.name());
    assertEquals(65, run.model().vocabularySize());
    assertEquals(Documents.LINES, run.data().documents());
    assertEquals(DataConfiguration.DEFAULTS.tokenizer(), run.data().tokenizer());
    assertEquals(
        TrainingConfiguration.DEFAULTS.toBuilder()
            .steps(20)
            .learningRate(1e-3)
            .minLearningRate(1e-4)
            .build(),
        run.training());
  }

  @Test
  void theArchitectureIsOneOfThoseThereAre() throws Exception {
    assertInstanceOf(GptConfiguration.class, read().model());
    RunConfiguration bert = read("model.architecture=bert", "data.tokenizer=masked-bpe");
    assertInstanceOf(BertConfiguration.class, bert.model());
    Path resolved = Files.writeString(folder.resolve("again.yaml"), Yaml.write(bert));
    RunConfiguration again = new ConfigurationReader().read(resolved.toString(), List.of()).bind(1);
    assertEquals(bert.model(), again.model());
    assertRefused(
        "--set model.architecture=brt: model.architecture must be gpt or bert, but is brt",
        "model.architecture=brt");
  }

  @Test
  void aBertNeedsATokenizerThatCanHide() throws Exception {
    assertRefused(
        file
            + ": data.tokenizer must be masked-bpe or the path of a tokenizer.json with [MASK] for this model.architecture, but is bpe",
        "model.architecture=bert");
    assertRefused(
        file
            + ": a sequence of model.context = 8 tokens, two of them [CLS] and [SEP], cannot hide 7; raise model.context or change data.mask_fraction",
        "model.architecture=bert",
        "data.tokenizer=masked-bpe",
        "data.mask_fraction=0.9");
    assertRefused(
        "--set data.mask_fraction=0: data.mask_fraction must be above 0 and below 1, but is 0.0",
        "data.mask_fraction=0");
  }

  @Test
  void overridesInOrder() throws Exception {
    RunConfiguration run =
        read(
            "training.steps=30", "data.input=a,b/*.txt", "training.steps=40", "data.text_column=7");
    assertEquals(40, run.training().steps());
    assertEquals("a,b/*.txt", run.data().input());
    assertEquals("7", run.data().textColumn());
  }

  @Test
  void aListNamesPathsThatHoldCommas() throws Exception {
    List<String> paths = List.of("a.txt", "b,c.txt", "{d,e}.txt");
    Files.writeString(file, TOY.replace("text.txt", "[a.txt, 'b,c.txt', '{d,e}.txt']"));
    assertEquals(paths, read().data().inputs());
    assertEquals(paths, read("data.input=[a.txt, \"b,c.txt\", '{d,e}.txt']").data().inputs());
    assertEquals(paths, read("data.input=a.txt , b\\,c.txt,{d\\,e}.txt").data().inputs());
    Path resolved = Files.writeString(folder.resolve("again.yaml"), Yaml.write(read()));
    RunConfiguration again = new ConfigurationReader().read(resolved.toString(), List.of()).bind(1);
    assertEquals(paths, again.data().inputs());
  }

  @Test
  void aGlobThatBeginsLikeAListIsNone() throws Exception {
    assertEquals(List.of("[ab].txt"), read("data.input=[ab].txt").data().inputs());
    assertEquals(List.of("[ab]*"), read("data.input=[ab]*").data().inputs());
  }

  @Test
  void refusesListsThatNameNoPaths() throws Exception {
    assertRefused("--set data.input=[]: data.input is an empty list", "data.input=[]");
    Files.writeString(file, TOY.replace("text.txt", "[a.txt, [b.txt]]"));
    assertRefused(file + ":7: data.input takes a path or a list of paths, but holds [\"b.txt\"]");
  }

  @Test
  void readsItsOwnOutputBack() throws Exception {
    RunConfiguration run = read("model.dropout=0.1", "training.seed=12345678901");
    Path resolved = Files.writeString(folder.resolve("toy2.yaml"), Yaml.write(run));
    RunConfiguration again = new ConfigurationReader().read(resolved.toString(), List.of()).bind(1);
    assertEquals(run, again);
  }

  @Test
  void namesTheNearestKeyAndTheLineOfAnUnknownOne() throws Exception {
    Files.writeString(file, TOY.replace("learning_rate", "learning_rat"));
    assertRefused(file + ":11: unknown key training.learning_rat (did you mean learning_rate?)");
  }

  @Test
  void listsTheKnownKeysWhereNoneIsNear() {
    assertRefused(
        "--set zebra=1: unknown key zebra (known here: data, model, name, training)", "zebra=1");
    assertRefused(
        "--set model.layer=1: unknown key model.layer (did you mean layers?)", "model.layer=1");
  }

  @Test
  void saysWhichKindOfValueAKeyTakes() {
    assertRefused(
        "--set training.steps=many: training.steps must be a whole number, but is \"many\"",
        "training.steps=many");
    assertRefused(
        "--set training.steps=1.5: training.steps must be a whole number, but is 1.5",
        "training.steps=1.5");
    assertRefused(
        "--set model.dropout=much: model.dropout must be a number, but is \"much\"",
        "model.dropout=much");
    assertRefused(
        "--set training.precision=fp8: training.precision must be fp32 or bf16, but is \"fp8\"",
        "training.precision=fp8");
    assertRefused(
        "--set data.documents=words: data.documents must be file or lines, but is \"words\"",
        "data.documents=words");
    assertRefused("--set model=1: model is a section; set one of its keys", "model=1");
    assertRefused(
        "--set training.steps.most=1: unknown key training.steps.most (training.steps takes one value)",
        "training.steps.most=1");
    assertRefused(
        "--set training.steps=99999999999: training.steps: Numeric value (99999999999) out of range of"
            + " int (-2147483648 - 2147483647)",
        "training.steps=99999999999");
    assertRefused("--set steps: expected path.to.key=value", "steps");
  }

  @Test
  void pointsAtTheLineOfAValueOutOfRange() throws Exception {
    Files.writeString(file, TOY.replace("heads: 2", "heads: 3"));
    assertRefused(file + ":3: model.heads must divide model.width (16), but is 3");
    Files.writeString(file, TOY.replace("steps: 20", "steps: -1"));
    assertRefused(file + ":10: training.steps must be at least 1, but is -1");
  }

  @Test
  void refusesFilesThatAreNoConfiguration() throws Exception {
    Files.writeString(file, TOY.replace("  layers: 2\n", ""));
    assertRefused(file + ": model.layers is missing");
    Files.writeString(file, "");
    assertRefused(file + " is empty: it needs at least the section model");
    Files.writeString(file, "model: 7\n");
    assertRefused(file + ":1: model is a section and needs keys of its own");
    Files.writeString(file, TOY + "training:\n  steps: 3\n");
    assertRefused(file + ":12: Duplicate field 'training'");
    Files.writeString(file, "model: [");
    assertRefused(
        file
            + ":1: while parsing a flow node: expected the node content, but found '<stream end>'");
    Files.write(file, new byte[] {'a', ':', (byte) 0xC3});
    assertRefused(file + " is no YAML file: it is not UTF-8 text");
  }

  @Test
  void namesThePresetsWhereThereIsNoFile() throws Exception {
    Files.delete(file);
    String presets =
        "no configuration file %s: give a YAML file, or a preset: bert-base, bert-large, gpt-char, ";
    for (Path none : List.of(file, folder)) {
      String message =
          assertThrows(
                  InputException.class,
                  () -> new ConfigurationReader().read(none.toString(), List.of()))
              .getMessage();
      assertTrue(message.startsWith(presets.formatted(none)), message);
      assertTrue(message.endsWith(", quickstart, quickstart-bert"), message);
    }
  }

  @Test
  void refusesAVocabularySmallerThanTheTokenizers() throws Exception {
    ConfigurationDraft draft =
        new ConfigurationReader().read(file.toString(), List.of("model.vocab_size=50"));
    assertEquals(
        "--set model.vocab_size=50: model.vocab_size is 50, but the tokenizer has 65 tokens: set"
            + " model.vocab_size to at least that",
        assertThrows(InputException.class, () -> draft.bind(65)).getMessage());
    assertEquals(50, draft.bind(50).model().vocabularySize());
  }

  private RunConfiguration read(String... overrides) throws InputException {
    return new ConfigurationReader().read(file.toString(), List.of(overrides)).bind(65);
  }

  private void assertRefused(String message, String... overrides) {
    assertEquals(message, assertThrows(InputException.class, () -> read(overrides)).getMessage());
  }
}
