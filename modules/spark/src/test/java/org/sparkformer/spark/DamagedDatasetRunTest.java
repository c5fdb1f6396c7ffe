package org.sparkformer.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.Stream;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.testkit.LoggedProcess;
import org.sparkformer.training.RunSummary;
import org.sparkformer.training.configuration.DataConfiguration;
import org.sparkformer.training.configuration.TrainingConfiguration;

/**
 * Drivers in processes of their own. One is killed while it trains; copies of what it left, each
 * with a byte of another file of the dataset flipped, are gone on with, and trained on by others.
 */
class DamagedDatasetRunTest {
  private static final List<String> FILES =
      List.of(
          "train-00000.bin",
          "train-00000.idx",
          "validation-00000.bin",
          "validation-00000.idx",
          "tokenizer.json",
          "manifest.json");

  private static final String MARK = SourceMark.FILE_NAME;
  private static final String STRAIGHT = "straight";
  private static final String CUT_OFF = "cut-off";
  private static final String BUILT = "built-";
  private static final String GIVEN = "given-";
  private static final int STEPS = 200;
  private static final int INTERVAL = 10;
  private static final Duration LONG = Duration.ofMinutes(2);

  private static final Random RANDOM = new Random(31);
  private static String log;
  @TempDir static Path folder;

  @BeforeAll
  static void findTheDamage() throws Exception {
    TinyRun.text(folder);
    try (LoggedProcess killed = start("killed", CUT_OFF)) {
      killed.await("step " + 3 * INTERVAL + "\n", LONG);
    }
    List<String> runs = new ArrayList<>(List.of(STRAIGHT));
    for (String file : FILES) {
      runs.add(damaged(BUILT, file));
      runs.add(damaged(GIVEN, file));
    }
    runs.add(damaged(BUILT, MARK));
    try (LoggedProcess finding = start("finding", runs.toArray(String[]::new))) {
      int status = finding.exitCode(LONG);
      log = finding.log();
      assertEquals(0, status, log);
    }
  }

  /** What the run itself has built it builds again, and goes on from where it was. */
  @Test
  void aRunBuildsItsDamagedDatasetAgainAndEndsWithTheSameWeights() throws Exception {
    for (String file : FILES) {
      String said = saidOf(BUILT + file);
      int found = said.indexOf(damage(BUILT, file));
      assertTrue(found >= 0 && found < said.indexOf("building the dataset of "), said);
      assertGoesOn(BUILT + file, said);
      assertArrayEquals(
          Files.readAllBytes(dataset(CUT_OFF).resolve(file)),
          Files.readAllBytes(dataset(BUILT + file).resolve(file)),
          file);
    }
  }

  /** What it was built from is found out again, and so known to be the same. */
  @Test
  void aDamagedMarkOfTheSourceChangesNothing() {
    assertGoesOn(BUILT + MARK, saidOf(BUILT + MARK));
  }

  @Test
  void aDamagedDatasetThatIsGivenIsRefusedByTheNameOfItsFileBeforeTraining() {
    for (String file : FILES) {
      String said = saidOf(GIVEN + file);
      assertTrue(said.startsWith("refused: " + damage(GIVEN, file)), said);
      assertEquals(1, said.lines().count(), said);
    }
  }

  private static void assertGoesOn(String run, String said) {
    List<String> starts = said.lines().filter(line -> line.startsWith("start ")).toList();
    assertEquals(List.of("start " + newest()), starts, said);
    assertEquals(weights(saidOf(STRAIGHT)), weights(said), run);
  }

  private static int newest() {
    Path checkpoints = folder.resolve(CUT_OFF).resolve("checkpoints");
    try (Stream<Path> all = Files.list(checkpoints)) {
      return all.filter(step -> Files.exists(step.resolve("manifest.json")))
          .map(step -> step.getFileName().toString().replace("step-", ""))
          .mapToInt(Integer::parseInt)
          .max()
          .orElseThrow();
    } catch (IOException unreadable) {
      throw new AssertionError(unreadable);
    }
  }

  private static String weights(String said) {
    return said.lines().filter(line -> line.startsWith("weights ")).findFirst().orElse(said);
  }

  private static String damage(String kind, String file) {
    return "the dataset file %s is corrupt: "
        .formatted(dataset(kind + file).resolve(file).toUri())
        .replace("file:///", "file:/");
  }

  /** What the process said of one of its runs. */
  private static String saidOf(String run) {
    String title = "run " + run + "\n";
    int from = log.indexOf(title);
    assertTrue(from >= 0, log);
    int to = log.indexOf("\nrun ", from);
    return log.substring(from + title.length(), to < 0 ? log.length() : to + 1);
  }

  private static Path dataset(String run) {
    return folder.resolve(run).resolve(DatasetPreparation.FOLDER);
  }

  /** A copy of what the killed driver has left, but for its claim; returns the run's name. */
  private static String damaged(String kind, String file) throws IOException {
    Path from = folder.resolve(CUT_OFF);
    Path to = folder.resolve(kind + file);
    boolean built = kind.equals(BUILT);
    try (Stream<Path> all = Files.walk(from)) {
      for (Path path : all.filter(Files::isRegularFile).toList()) {
        String name = from.relativize(path).toString();
        if (name.startsWith("dataset/") && (built || !name.endsWith(".crc"))
            || name.startsWith("checkpoints/") && built) {
          Files.createDirectories(to.resolve(name).getParent());
          Files.copy(path, to.resolve(name));
        }
      }
    }
    flip(dataset(kind + file).resolve(file));
    return kind + file;
  }

  private static void flip(Path file) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    bytes[RANDOM.nextInt(bytes.length)] ^= (byte) (1 << RANDOM.nextInt(8));
    Files.write(file, bytes);
  }

  private static LoggedProcess start(String name, String... runs) throws IOException {
    List<String> arguments = new ArrayList<>(List.of(folder.toString()));
    arguments.addAll(List.of(runs));
    return LoggedProcess.start(
        folder.resolve(name + ".log"),
        Map.of(),
        LoggedProcess.java(List.of("-Xmx512m", "-XX:TieredStopAtLevel=1"), Child.class, arguments));
  }

  /** Trains one run after the other, and says what comes of each. */
  static final class Child extends PrintedRun {
    private Child() {}

    public static void main(String[] arguments) throws Exception {
      Path folder = Path.of(arguments[0]);
      try (JavaSparkContext context = SparkSessions.openContext("child", Optional.of("local[2]"))) {
        for (String run : List.of(arguments).subList(1, arguments.length)) {
          System.out.println("run " + run);
          train(new TrainingDriver(context), folder, run);
        }
      }
    }

    private static void train(TrainingDriver driver, Path folder, String run) throws Exception {
      TrainingConfiguration training =
          TinyRun.training(STEPS).toBuilder().evalInterval(0).checkpointInterval(INTERVAL).build();
      DataConfiguration given =
          DataConfiguration.ofDataset(folder.resolve(run).resolve("dataset").toString());
      TrainingRequest request =
          run.startsWith(GIVEN)
              ? TinyRun.trained(TinyRun.request(given, folder.resolve(run)), training)
              : TinyRun.request(folder, run, training);
      try {
        RunSummary summary = driver.train(request.withRanks(OptionalInt.of(2)), new Child());
        System.out.println("weights " + summary.weightsSha256());
      } catch (IOException | RuntimeException | TrainingFailedException refused) {
        System.out.println("refused: " + refused.getMessage());
      }
    }
  }
}
