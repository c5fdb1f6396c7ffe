package org.sparkformer.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.data.DatasetManifest;
import org.sparkformer.testkit.LoggedProcess;
import org.sparkformer.training.Json;
import org.sparkformer.training.RunSummary;
import org.sparkformer.training.TrainingListener;
import org.sparkformer.training.configuration.DataConfiguration;

/** Drivers in processes of their own, ended by SIGKILL while the dataset is being built. */
class KilledBuildTest {
  private static final Duration LONGEST = Duration.ofSeconds(120);
  private static final int FILES = 12;
  private static final int LETTERS_OF_A_FILE = 1 << 21;

  @TempDir Path folder;

  @Test
  void aRunKilledWhileItsDatasetIsBuiltEndsLikeAnUndisturbedOne() throws Exception {
    writeText();
    trainToTheEnd("calm");
    for (String sign : List.of("", "train-")) {
      killOnceThereIs(sign);
      assertFalse(exists("killed/dataset/" + DatasetManifest.FILE_NAME), "built before the kill");
    }
    trainToTheEnd("killed");
    assertEquals(summary("calm"), summary("killed"));
    try (Stream<Path> files = Files.list(folder.resolve("killed/dataset"))) {
      assertTrue(files.noneMatch(file -> file.toString().endsWith(".tmp")));
    }
  }

  /** Sizes differ, so that shards are done at different times. */
  private void writeText() throws IOException {
    Files.createDirectory(folder.resolve("text"));
    for (int file = 0; file < FILES; file++) {
      Random random = new Random(file);
      StringBuilder text = new StringBuilder("abcdefghijk\n");
      int letters = LETTERS_OF_A_FILE >> (file % 4);
      for (int i = 0; i < letters; i++) {
        text.append(i % 97 == 0 ? '\n' : (char) ('a' + random.nextInt(11)));
      }
      Files.writeString(folder.resolve("text/%02d.txt".formatted(file)), text);
    }
  }

  private void trainToTheEnd(String run) throws Exception {
    try (LoggedProcess process = start(run)) {
      assertEquals(0, process.exitCode(LONGEST), process.log());
    }
  }

  private void killOnceThereIs(String prefix) throws Exception {
    Path dataset = folder.resolve("killed/dataset");
    try (LoggedProcess process = start("killed")) {
      while (process.isAlive() && find(dataset, prefix).isEmpty()) {
        Thread.sleep(1);
      }
      assertTrue(process.isAlive(), "ended on its own: " + process.log());
    }
  }

  /** A file whose name begins so, in a folder that may be there. */
  private static Optional<Path> find(Path folder, String prefix) throws IOException {
    if (Files.notExists(folder)) {
      return Optional.empty();
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.getFileName().toString().startsWith(prefix)).findAny();
    }
  }

  private boolean exists(String name) {
    return Files.exists(folder.resolve(name));
  }

  private String summary(String run) throws IOException {
    byte[] json = Files.readAllBytes(folder.resolve(run).resolve(RunSummary.FILE_NAME));
    return Json.tree(json).get("weights_sha256").asText();
  }

  private LoggedProcess start(String run) throws IOException {
    return LoggedProcess.start(
        folder.resolve(run + ".log"),
        Map.of(),
        LoggedProcess.java(List.of("-Xmx1g"), Child.class, List.of(folder.toString(), run)));
  }

  /** Trains from raw text. */
  static final class Child {
    private Child() {}

    public static void main(String[] arguments) throws Exception {
      Path folder = Path.of(arguments[0]);
      DataConfiguration data = DataConfiguration.ofInput(folder.resolve("text").toString(), "char");
      try (SparkSession session = SparkSessions.open("killed", Optional.of("local[2]"))) {
        new TrainingDriver(session)
            .train(TinyRun.request(data, folder.resolve(arguments[1])), TrainingListener.NONE);
      }
    }
  }
}
