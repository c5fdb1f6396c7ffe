package org.sparkformer.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.holdenkarau.spark.testing.SharedJavaSparkContext;
import java.io.FileNotFoundException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.data.CorruptDatasetException;
import org.sparkformer.data.TokenDataset.Verification;
import org.sparkformer.models.GptConfiguration;
import org.sparkformer.training.RunSummary;
import org.sparkformer.training.TrainingListener;
import org.sparkformer.training.configuration.DataConfiguration;
import org.sparkformer.training.configuration.RunConfiguration;

class TrainingDriverTest extends SharedJavaSparkContext {
  @TempDir Path folder;
  private final TinyRun.Log log = new TinyRun.Log();

  @Override
  public SparkConf conf() {
    return SessionSettings.complete(super.conf(), "driver", "local[2]");
  }

  @BeforeEach
  void start() {
    runBefore();
  }

  @AfterAll
  static void stop() {
    runAfterClass();
  }

  @Test
  void oneAndTwoRanksGiveTheSameWeights() throws Exception {
    RunSummary one = train(request("one"));
    RunSummary two = train(request("two").withRanks(OptionalInt.of(2)));
    assertEquals(64, one.weightsSha256().length());
    assertEquals(one.weightsSha256(), two.weightsSha256());
    assertEquals(List.of(1, 2), List.of(one.ranks(), two.ranks()));
    assertEquals(List.of(1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6), log.steps);
    assertEquals(List.of(3, 6, 3, 6), log.evaluations);
    assertTrue(Files.exists(folder.resolve("two/run.json")));
    assertTrue(Files.readString(folder.resolve("two/metrics.jsonl")).contains("\"val_loss\""));
  }

  @Test
  void ranksThatShareTheWeightsGiveTheSameBits() throws Exception {
    RunSummary one = train(request("one"));
    RunSummary two = train(TinyRun.sharingWeights(request("two").withRanks(OptionalInt.of(2))));
    assertEquals(2, two.ranks());
    assertEquals(one.weightsSha256(), two.weightsSha256());
    assertEquals(one.valLoss(), two.valLoss());
  }

  @Test
  void aDatasetIsTakenAsItIsUntilItsSourceChanges() throws Exception {
    DatasetPreparation preparation = preparation();
    TinyRun.text(folder);
    for (int i = 0; i < 2; i++) {
      preparation.prepare(input(), OptionalInt.empty(), out("data"), log::onMessage);
    }
    assertEquals(1, log.messages.size(), log.messages.toString());
    Files.writeString(folder.resolve("text.txt"), "l");
    PreparedDataset changed =
        preparation.prepare(input(), OptionalInt.empty(), out("data"), log::onMessage);
    assertEquals(2, log.messages.size(), log.messages.toString());
    assertEquals(1, changed.vocabularySize());
  }

  @Test
  void textThatWasTouchedIsTheSameAndTextOfTheSameLengthIsNot() throws Exception {
    train(request("run"));
    Map<String, String> before = contents("run/dataset");
    Path text = folder.resolve("text.txt");
    Files.setLastModifiedTime(text, FileTime.fromMillis(1_000_000_000_000L));
    train(TinyRun.request(input(), outPath("run")));
    before.remove(SourceMark.FILE_NAME);
    Map<String, String> after = contents("run/dataset");
    String mark = after.remove(SourceMark.FILE_NAME);
    assertEquals(before, after);
    train(TinyRun.request(input(), outPath("run")));
    assertEquals(mark, contents("run/dataset").get(SourceMark.FILE_NAME));
    log.starts.clear();
    Files.writeString(text, Files.readString(text).replace('k', 'a'));
    assertRefused(
        "have changed since its dataset was built", TinyRun.request(input(), outPath("run")));
  }

  @Test
  void aRunIsNotResumedOnOtherTextAndItsDatasetStaysWhole() throws Exception {
    train(request("run"));
    Map<String, String> before = contents("run/dataset");
    Files.writeString(folder.resolve("text.txt"), "another text of the same letters: abcdefghijk");
    TrainingRequest changed = TinyRun.request(input(), outPath("run"));
    log.starts.clear();
    assertRefused("have changed since its dataset was built", changed);
    assertEquals(before, contents("run/dataset"));
    String dataset = outPath("run/dataset").toUri().toString();
    train(TinyRun.request(DataConfiguration.ofDataset(dataset), outPath("run")));
  }

  @Test
  void divergenceIsAFailureOfTheRunAndNotTriedAgain() throws Exception {
    TrainingRequest request = request("wild");
    RunConfiguration tiny = request.configuration();
    RunConfiguration wild =
        new RunConfiguration(
            "wild",
            tiny.model(),
            tiny.data(),
            tiny.training().toBuilder()
                .steps(60)
                .learningRate(9.9)
                .weightDecay(9.9)
                .warmupSteps(0)
                .clip(0)
                .build());
    TrainingFailedException failed =
        assertThrows(TrainingFailedException.class, () -> train(request.withConfiguration(wild)));
    assertTrue(failed.getMessage().contains("training has diverged"), failed.getMessage());
    assertEquals(1, log.starts.size());
  }

  @Test
  void aDamagedShardIsFoundBeforeTraining() throws Exception {
    Path shard = folder.resolve("data/dataset/train-00000.bin");
    PreparedDataset dataset = prepare();
    byte[] bytes = Files.readAllBytes(shard);
    bytes[100] ^= 1;
    Files.write(shard, bytes);
    CorruptDatasetException found =
        assertThrows(
            CorruptDatasetException.class,
            () -> train(TinyRun.request(DataConfiguration.ofDataset(dataset.uri()), outPath("x"))));
    assertTrue(found.getMessage().contains("train-00000.bin"), found.getMessage());
    assertNothingRan();
  }

  @Test
  void aVocabularyLargerThanTheModelsIsRefused() throws Exception {
    TrainingRequest request = request("small");
    RunConfiguration tiny = request.configuration();
    RunConfiguration small =
        new RunConfiguration(
            "small", GptConfiguration.of(1, 1, 8, 8, 5), tiny.data(), tiny.training());
    assertRefused(
        "the tokenizer has 12 tokens but model.vocab_size is 5", request.withConfiguration(small));
  }

  @Test
  void anotherTokenizerThanTheDatasetsIsRefused() throws Exception {
    DataConfiguration gpt2 =
        new DataConfiguration(null, prepare().uri(), "gpt2", "text", data().documents(), 0.1, 0.15);
    assertRefused("was built with another tokenizer", TinyRun.request(gpt2, outPath("x")));
  }

  @Test
  void moreRanksThanMicroBatchesAreRefused() throws Exception {
    assertRefused(
        "5 ranks cannot share a global batch of 4 micro-batches",
        request("x").withRanks(OptionalInt.of(5)));
  }

  @Test
  void moreRanksThanTaskSlotsAreRefused() throws Exception {
    assertRefused("local[2] has 2", request("x").withRanks(OptionalInt.of(3)));
  }

  @Test
  void aDeviceThatIsNotThereIsRefused() throws Exception {
    assertRefused("no OpenCL device", request("x").withDevice("no such device"));
  }

  @Test
  void textThatIsNotThereIsNamed() {
    DataConfiguration missing = DataConfiguration.ofInput(folder + "/missing.txt", "char");
    FileNotFoundException found =
        assertThrows(
            FileNotFoundException.class, () -> train(TinyRun.request(missing, outPath("x"))));
    assertTrue(found.getMessage().contains("missing.txt"), found.getMessage());
  }

  private Map<String, String> contents(String name) throws Exception {
    Map<String, String> contents = new TreeMap<>();
    try (Stream<Path> files = Files.list(folder.resolve(name))) {
      for (Path file : files.toList()) {
        contents.put(
            file.getFileName().toString(),
            Files.readString(file, StandardCharsets.ISO_8859_1) + Files.getLastModifiedTime(file));
      }
    }
    return contents;
  }

  private void assertRefused(String part, TrainingRequest request) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> train(request)).getMessage();
    assertTrue(message.contains(part), message);
    assertNothingRan();
  }

  private void assertNothingRan() {
    assertEquals(List.of(), log.starts);
  }

  private RunSummary train(TrainingRequest request) throws Exception {
    return new TrainingDriver(session()).train(request, log);
  }

  private PreparedDataset prepare() throws Exception {
    return preparation()
        .prepare(data(), OptionalInt.empty(), out("data"), TrainingListener.NONE::onMessage);
  }

  private DatasetPreparation preparation() {
    return new DatasetPreparation(
        JavaSparkContext.fromSparkContext(session().sparkContext()), Verification.SIZES);
  }

  private TrainingRequest request(String output) throws Exception {
    return TinyRun.request(data(), outPath(output));
  }

  private DataConfiguration data() throws Exception {
    TinyRun.text(folder);
    return input();
  }

  private DataConfiguration input() {
    return DataConfiguration.ofInput(folder.resolve("text.txt").toString(), "char");
  }

  private String out(String name) {
    return outPath(name).toString();
  }

  private Path outPath(String name) {
    return folder.resolve(name);
  }

  private SparkSession session() {
    return SparkSession.builder().config(conf()).getOrCreate();
  }
}
