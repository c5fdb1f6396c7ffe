package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.training.configuration.TrainingConfiguration;

/** Runs in processes of their own, which end at a bad moment or find their files damaged. */
class KilledRunTest {
  private static final int SURVIVES = 0;
  private static final int END = Integer.MAX_VALUE;
  private static final int STEPS = 20;
  private static String data;
  private static String weights;
  @TempDir static Path folder;

  @BeforeAll
  static void train() throws Exception {
    Path dataset = Files.createDirectory(folder.resolve("data"));
    TinyDataset.open(dataset, 100, 40).close();
    data = dataset.toString();
    Child.train(data, Child.output(folder.resolve("unbroken"), SURVIVES), 1, TrainingListener.NONE);
    weights = weights("unbroken");
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void aRunKilledAgainAndAgainEndsWithTheWeightsOfAnUnbrokenOne(int ranks) throws Exception {
    String run = "killed-" + ranks;
    for (int deadly : new int[] {3, 11}) {
      assertNotEquals(0, start(run, ranks, SURVIVES, deadly).status(), "survived step " + deadly);
    }
    assertGoesOn(run, ranks, newest(checkpoints(run)));
  }

  /** Half of what the operation writes is on the disk then. */
  @ParameterizedTest
  @ValueSource(ints = {3, 29, 47, 60, 71, 84})
  void aProcessThatEndsAtAFileOperationGoesOnFromTheNewestCheckpoint(int operation)
      throws Exception {
    String run = "operation-" + operation;
    assertEquals(DyingFileSystem.EXIT_STATUS, start(run, 2, operation, END).status());
    assertGoesOn(run, 2, newest(checkpoints(run)));
  }

  @Tag("soak")
  @Test
  void atEachFileOperation() throws Exception {
    int operation = 1;
    while (start("each-" + operation, 2, operation, END).status() != 0) {
      assertGoesOn("each-" + operation, 2, newest(checkpoints("each-" + operation)));
      operation++;
    }
    assertTrue(operation > 84, "only " + operation + " operations");
  }

  @ParameterizedTest
  @ValueSource(strings = {"model.safetensors", "optimizer-00000-of-00001.safetensors"})
  void aProcessThatFindsAFlippedByteGoesOnFromTheCheckpointBefore(String file) throws Exception {
    String run = "flipped-" + file;
    assertNotEquals(0, start(run, 1, SURVIVES, 11).status());
    List<Integer> steps = checkpoints(run);
    String damaged = "checkpoints/step-%08d/%s".formatted(newest(steps), file);
    flip(folder.resolve(run).resolve(damaged));
    assertGoesOn(run, 1, steps.get(steps.size() - 2));
  }

  /** Trains on to the end. */
  private static void assertGoesOn(String run, int ranks, int checkpoint) throws Exception {
    Outcome outcome = start(run, ranks, SURVIVES, END);
    assertEquals(0, outcome.status(), () -> log(run));
    // None where the last checkpoint was committed, and only the run's end was not told.
    assertEquals(IntStream.rangeClosed(checkpoint + 1, STEPS).boxed().toList(), outcome.steps());
    assertEquals(weights, weights(run));
  }

  private static String weights(String run) throws IOException {
    byte[] summary = Files.readAllBytes(folder.resolve(run).resolve(RunSummary.FILE_NAME));
    return Json.tree(summary).get("weights_sha256").asText();
  }

  private static List<Integer> checkpoints(String run) throws IOException {
    return new CheckpointStore(Child.output(folder.resolve(run), SURVIVES), 2).steps();
  }

  /** 0 where there is none. */
  private static int newest(List<Integer> checkpoints) {
    return checkpoints.isEmpty() ? 0 : checkpoints.get(checkpoints.size() - 1);
  }

  private static void flip(Path file) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length / 2] ^= 1;
    Files.write(file, bytes);
  }

  /**
   * How a process ended.
   *
   * @param steps that it said it has done
   */
  private record Outcome(int status, List<Integer> steps) {}

  /**
   * @param operation of the file system at which the process ends
   * @param deadly step; when the process says that it has done it, it is killed
   */
  private static Outcome start(String run, int ranks, int operation, int deadly) throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-cp",
                System.getProperty("java.class.path"),
                Child.class.getName(),
                data,
                folder.resolve(run).toString(),
                String.valueOf(ranks),
                String.valueOf(operation))
            .redirectError(folder.resolve(run + ".log").toFile())
            .start();
    List<Integer> steps = new ArrayList<>();
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      String line = lines.readLine();
      while (line != null) {
        steps.add(Integer.valueOf(line));
        line = Integer.parseInt(line) < deadly ? lines.readLine() : null;
      }
      if (!steps.isEmpty() && steps.get(steps.size() - 1) >= deadly) {
        process.destroyForcibly();
      }
    }
    return new Outcome(process.waitFor(), steps);
  }

  private static String log(String run) {
    try {
      return Files.readString(folder.resolve(run + ".log"));
    } catch (IOException unreadable) {
      return unreadable.toString();
    }
  }

  /** Trains and prints each step when it is done. */
  static final class Child {
    private Child() {}

    public static void main(String[] arguments) throws Exception {
      TrainingListener listener =
          new TrainingListener() {
            @Override
            public void onStep(StepMetrics metrics) {
              System.out.println(metrics.step());
            }
          };
      RunFolder output = output(Path.of(arguments[1]), Integer.parseInt(arguments[3]));
      train(arguments[0], output, Integer.parseInt(arguments[2]), listener);
    }

    static RunFolder output(Path run, int operation) throws IOException {
      return new RunFolder(
          DyingFileSystem.endingTheProcess(operation), new org.apache.hadoop.fs.Path(run.toUri()));
    }

    static void train(String data, RunFolder output, int ranks, TrainingListener listener)
        throws Exception {
      TrainingConfiguration training =
          TinyRun.training().steps(STEPS).checkpointInterval(3).logInterval(1).build();
      try (TokenDataset dataset = TokenDataset.open(new Configuration(false), data)) {
        TinyRun.train(
            new TrainingRun(TinyRun.configuration(training, 0.1), dataset, output, true),
            ranks,
            listener);
      }
    }
  }
}
