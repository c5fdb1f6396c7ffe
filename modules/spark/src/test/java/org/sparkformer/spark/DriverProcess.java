package org.sparkformer.spark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.api.java.JavaSparkContext;
import org.sparkformer.models.GptConfiguration;
import org.sparkformer.testkit.LoggedProcess;
import org.sparkformer.training.Json;
import org.sparkformer.training.RunSummary;
import org.sparkformer.training.configuration.DataConfiguration;
import org.sparkformer.training.configuration.RunConfiguration;

/** A driver in a process of its own, which trains for some seconds and says what it does. */
final class DriverProcess {
  /** No checkpoint lies at an interval: the last step's is the only one. */
  static final int STEPS = 400;

  /** So that random numbers have to go on where they were as well. */
  private static final double DROPOUT = 0.1;

  /** The better compiler takes more of these seconds than it gives. */
  private static final String QUICK_COMPILER = "-XX:TieredStopAtLevel=1";

  private static final Pattern STEP = Pattern.compile("step (\\d+)");
  private static final long MOST_SILENT_SECONDS = 60;

  private final Process process;
  private final Path log;

  private DriverProcess(Process process, Path log) {
    this.process = process;
    this.log = log;
  }

  /**
   * @param folder of the runs; text.txt lies in it
   * @param name of this process's log
   */
  static DriverProcess start(Path folder, String run, String name, String master)
      throws IOException {
    Path log = folder.resolve(name + ".log");
    List<String> command =
        LoggedProcess.java(
            List.of(
                "-Xmx512m",
                QUICK_COMPILER,
                "-Dspark.sparkformer.writerLimit=10s",
                "-Dspark.executor.extraJavaOptions=" + QUICK_COMPILER),
            Child.class,
            List.of(folder.toString(), run, master));
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    return new DriverProcess(process, log);
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** Waits until it has said that a step is done. */
  void awaitStep(int step) throws Exception {
    while (lastStep() < step) {
      if (!process.isAlive()) {
        throw new AssertionError("ended before step " + step + ": " + log());
      }
      Thread.sleep(5);
    }
  }

  /** Waits until it has said for the n-th time that training starts. */
  void awaitStart(int times) throws Exception {
    while (log().lines().filter(line -> line.startsWith("start ")).count() < times) {
      if (!process.isAlive()) {
        throw new AssertionError("ended before start " + times + ": " + log());
      }
      Thread.sleep(5);
    }
  }

  /** Kills the executor that has run longest. */
  void killAnExecutor() {
    new ExecutorProcesses(process.toHandle()).alive().get(0).destroyForcibly();
  }

  /** The last step that it has told of; 0 before the first. */
  int lastStep() throws IOException {
    int last = 0;
    for (Matcher matcher = STEP.matcher(log()); matcher.find(); ) {
      last = Integer.parseInt(matcher.group(1));
    }
    return last;
  }

  /** The exit code, once it has ended; it fails where a minute brings neither that nor a word. */
  int exitCode() throws Exception {
    long said = -1;
    while (Files.size(log) > said) {
      said = Files.size(log);
      if (process.waitFor(MOST_SILENT_SECONDS, TimeUnit.SECONDS)) {
        return process.exitValue();
      }
    }
    kill();
    throw new AssertionError("said nothing more and did not end: " + log());
  }

  /** Sends a signal by name. */
  void signal(String name) throws Exception {
    new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start().waitFor();
  }

  void kill() throws Exception {
    process.destroyForcibly().waitFor();
  }

  String log() throws IOException {
    return Files.exists(log) ? Files.readString(log) : "";
  }

  /** What it said besides its steps. */
  List<String> messages() throws IOException {
    return log().lines().filter(line -> !STEP.matcher(line).matches()).toList();
  }

  static String weights(Path run) throws IOException {
    return Json.tree(Files.readAllBytes(run.resolve(RunSummary.FILE_NAME)))
        .get("weights_sha256")
        .asText();
  }

  /** Trains; prints a line for the start, for each step, and for what ended it. */
  static final class Child extends PrintedRun {
    private Child() {}

    public static void main(String[] arguments) throws Exception {
      Path folder = Path.of(arguments[0]);
      try (JavaSparkContext context =
          SparkSessions.openContext("child", Optional.of(arguments[2]))) {
        TrainingRequest request =
            TinyRun.request(
                    DataConfiguration.ofInput(folder.resolve("text.txt").toString(), "char"),
                    folder.resolve(arguments[1]))
                .withRanks(ranks(arguments[2]));
        new TrainingDriver(context)
            .train(request.withConfiguration(configuration(request)), new Child());
      } catch (TrainingStoppedException told) {
        System.exit(3);
      } catch (IOException | TrainingFailedException failed) {
        System.out.println("failed: " + failed.getMessage());
        System.exit(1);
      }
    }

    /** Two in local mode, else one for each executor. */
    private static OptionalInt ranks(String master) {
      return Master.isLocal(master) ? OptionalInt.of(2) : OptionalInt.empty();
    }

    private static RunConfiguration configuration(TrainingRequest request) {
      RunConfiguration tiny = request.configuration();
      return new RunConfiguration(
          "child",
          new GptConfiguration(2, 2, 32, 16, tiny.model().vocabularySize(), DROPOUT, false),
          tiny.data(),
          TinyRun.training(STEPS).toBuilder().evalInterval(0).checkpointInterval(0).build());
    }
  }
}
