package org.sparkformer.app.configuration;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkformer.models.BertConfiguration;
import org.sparkformer.training.configuration.RunConfiguration;

/**
 * Every file of conf/ is read, and the model it describes has the published number of parameters.
 */
class PresetsTest {
  private static final Path FOLDER = Path.of("../../conf");
  private static final int CHARACTERS_OF_TINY_SHAKESPEARE = 65;

  @ParameterizedTest
  @CsvSource({
    "gpt2, 124439808",
    "gpt2-medium, 354823168",
    "gpt2-large, 774030080",
    "gpt2-xl, 1557611200",
    // 116,534,784 published, and the last layer norm that GPT-1 did not have.
    "gpt1, 116536320",
    // nanoGPT's count of the same shapes without biases and positions is 0.80M and 10.65M.
    "gpt-char, 809856",
    "gpt-char-gpu, 10770816",
  })
  void hasExactlyThePublishedParameters(String preset, long parameters) throws Exception {
    assertEquals(parameters, read(preset).model().parameterCount());
  }

  /**
   * GPT-3's sizes are published to two or three digits; rounding alone moves the smaller ones by
   * 1.7 %.
   */
  @ParameterizedTest
  @CsvSource({
    "gpt3-125m, 125e6, 125226240",
    "gpt3-350m, 350e6, 355871744",
    "gpt3-760m, 760e6, 760300032",
    "gpt3-1.3b, 1.3e9, 1315723264",
    "gpt3-2.7b, 2.7e9, 2651553280",
    "gpt3-6.7b, 6.7e9, 6658404352",
    "gpt3-13b, 13.0e9, 12853386240",
    "gpt3-175b, 175.0e9, 174604259328",
  })
  void hasThePublishedSizeOfGpt3(String preset, double published, long exact) throws Exception {
    long parameters = read(preset).model().parameterCount();
    assertEquals(exact, parameters);
    assertEquals(1.0, parameters / published, 0.02);
  }

  /** What is trained, transformers' BertForMaskedLM; and what is published, its BertModel. */
  @ParameterizedTest
  @CsvSource({"bert-base, 109514298, 109482240", "bert-large, 335174458, 335141888"})
  void hasExactlyThePublishedParametersOfBert(String preset, long trained, long published)
      throws Exception {
    BertConfiguration model = (BertConfiguration) read(preset).model();
    assertEquals(trained, model.parameterCount());
    assertEquals(published, model.publishedParameterCount());
  }

  @Test
  void noPresetGoesUntested() throws IOException {
    try (Stream<Path> files = Files.list(FOLDER)) {
      Set<String> names =
          files
              .map(file -> file.getFileName().toString().replace(".yaml", ""))
              .collect(Collectors.toCollection(TreeSet::new));
      assertEquals(
          new TreeSet<>(
              List.of(
                  "gpt-char",
                  "gpt-char-gpu",
                  "quickstart",
                  "gpt1",
                  "gpt2",
                  "gpt2-medium",
                  "gpt2-large",
                  "gpt2-xl",
                  "gpt3-125m",
                  "gpt3-350m",
                  "gpt3-760m",
                  "gpt3-1.3b",
                  "gpt3-2.7b",
                  "gpt3-6.7b",
                  "gpt3-13b",
                  "gpt3-175b",
                  "bert-base",
                  "bert-large",
                  "quickstart-bert")),
          names);
    }
  }

  @Test
  void theCharacterPresetIsNanoGptsCpuSetting() throws Exception {
    RunConfiguration run = read("gpt-char");
    assertEquals(4, run.model().layers());
    assertEquals(64, run.model().context());
    assertEquals(12, run.training().batchSize());
    assertEquals(2000, run.training().steps());
    assertEquals(0.99, run.training().beta2());
    assertEquals(4, run.training().microBatches());
  }

  @Test
  void theJarCarriesThem() throws Exception {
    RunConfiguration carried = new ConfigurationReader().read("gpt2", List.of()).bind(1);
    assertEquals(read("gpt2"), carried);
  }

  @Test
  void theQuickstartRunsOnTwoRanks() throws Exception {
    assertEquals(0, read("quickstart").training().microBatches() % 2);
  }

  private static RunConfiguration read(String preset) throws Exception {
    return new ConfigurationReader()
        .read(FOLDER.resolve(preset + ".yaml").toString(), List.of())
        .bind(CHARACTERS_OF_TINY_SHAKESPEARE);
  }
}
