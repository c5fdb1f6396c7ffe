package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.training.configuration.TrainingConfiguration;

/** Runs in processes of their own, ended by SIGKILL. */
class KilledRunTest {
  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void aRunKilledAgainAndAgainEndsWithTheWeightsOfAnUnbrokenOne(int ranks) throws Exception {
    Path data = Files.createDirectory(folder.resolve("data"));
    TinyDataset.open(data, 100, 40).close();
    Child.train(
        data.toString(), folder.resolve("unbroken").toUri().toString(), 1, TrainingListener.NONE);
    for (int deadly : new int[] {3, 11}) {
      assertTrue(!reachedTheEnd(data, "killed", ranks, deadly), "survived step " + deadly);
    }
    assertTrue(reachedTheEnd(data, "killed", ranks, Integer.MAX_VALUE));
    assertEquals(weights("unbroken"), weights("killed"));
  }

  private String weights(String run) throws IOException {
    byte[] summary = Files.readAllBytes(folder.resolve(run).resolve(RunSummary.FILE_NAME));
    return Json.tree(summary).get("weights_sha256").asText();
  }

  /** Kills the process when it says that it has done a step. */
  private boolean reachedTheEnd(Path data, String run, int ranks, int deadly) throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-cp",
                System.getProperty("java.class.path"),
                Child.class.getName(),
                data.toString(),
                folder.resolve(run).toUri().toString(),
                String.valueOf(ranks))
            .redirectError(folder.resolve(run + ".log").toFile())
            .start();
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      String line = lines.readLine();
      while (line != null && Integer.parseInt(line) < deadly) {
        line = lines.readLine();
      }
      if (line != null) {
        process.destroyForcibly();
      }
    }
    int status = process.waitFor();
    assertTrue(status == 0 || deadly < Integer.MAX_VALUE, () -> "failed: " + log(run));
    return status == 0;
  }

  private String log(String run) {
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
      train(arguments[0], arguments[1], Integer.parseInt(arguments[2]), listener);
    }

    static void train(String data, String output, int ranks, TrainingListener listener)
        throws Exception {
      TrainingConfiguration training =
          TinyRun.training().steps(20).checkpointInterval(3).logInterval(1).build();
      Configuration hadoop = new Configuration(false);
      try (TokenDataset dataset = TokenDataset.open(hadoop, data)) {
        RunFolder folder = RunFolder.of(hadoop, output);
        TinyRun.train(
            new TrainingRun(TinyRun.configuration(training, 0.1), dataset, folder, true),
            ranks,
            listener);
      }
    }
  }
}
