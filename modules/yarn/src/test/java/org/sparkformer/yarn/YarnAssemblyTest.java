package org.sparkformer.yarn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.testkit.LoggedProcess;

/** The assembly, as {@code deploy/yarn/submit.sh} gives it to a YARN, from and to HDFS. */
class YarnAssemblyTest {
  private static final Path APP = Path.of("../app/target").toAbsolutePath().normalize();
  private static final Duration LONGEST = Duration.ofSeconds(120);
  private static final int STEPS = 400;

  private static final List<String> SETTINGS =
      List.of(
          "model.layers=2",
          "model.heads=2",
          "model.width=32",
          "model.context=16",
          "training.steps=" + STEPS,
          "training.batch_size=4",
          "training.micro_batch_size=1",
          "training.eval_interval=0",
          "training.checkpoint_interval=25");

  @TempDir private Path folder;
  private Path text;

  @BeforeEach
  void write() throws IOException {
    text = folder.resolve("text.txt");
    Files.writeString(text, "to be or not to be, that is it.\n".repeat(60));
  }

  @Test
  void aRunThatLosesAContainerEndsWithTheWeightsOfLocalMode() throws Exception {
    JsonNode local = local();
    try (YarnCluster yarn = YarnCluster.start(folder);
        FileSystem hdfs = yarn.files()) {
      org.apache.hadoop.fs.Path run = hdfs.makeQualified(path("/run"));
      org.apache.hadoop.fs.Path input = hdfs.makeQualified(path("/text/text.txt"));
      hdfs.copyFromLocalFile(path(text.toString()), input);
      Map<String, String> size = Map.of("EXECUTORS", "2", "MEMORY", "1g", "OVERHEAD", "512m");
      try (LoggedProcess submit = yarn.submit(size, training(input.toString(), run.toString()))) {
        awaitDriver(yarn, submit, "step 60/" + STEPS);
        List<ProcessHandle> executors = yarn.executors();
        assertEquals(2, executors.size());
        executors.get(0).destroyForcibly();
        awaitDriver(yarn, submit, "going on from the newest checkpoint");
        assertEquals(0, submit.exitCode(LONGEST), submit.log());
        assertTrue(submit.log().contains("final status: SUCCEEDED"), submit.log());
      }
      JsonNode submitted = summary(hdfs, run);
      assertEquals(2, submitted.get("ranks").asInt());
      assertEquals(local.get("weights_sha256"), submitted.get("weights_sha256"));
    }
  }

  /**
   * The launcher's command, with one rank, on files and the Spark that the assembly is built for.
   */
  private JsonNode local() throws IOException, InterruptedException {
    Path run = folder.resolve("local");
    String classPath = APP.resolve("sparkformer.jar") + ":" + APP.resolve("spark/jars") + "/*";
    List<String> command =
        LoggedProcess.java(
            List.of("-Xmx1g"),
            classPath,
            "org.sparkformer.app.Sparkformer",
            training(text.toString(), run.toString()));
    try (LoggedProcess process =
        LoggedProcess.start(folder.resolve("local.log"), Map.of(), command)) {
      assertEquals(0, process.exitCode(LONGEST), process.log());
    }
    return new ObjectMapper().readTree(run.resolve("run.json").toFile());
  }

  private static List<String> training(String input, String out) {
    List<String> arguments = new ArrayList<>(List.of("train", "gpt-char", "--out", out));
    arguments.addAll(List.of("--set", "data.input=" + input));
    SETTINGS.forEach(setting -> arguments.addAll(List.of("--set", setting)));
    return arguments;
  }

  /** Of a driver in the cluster, whose words its submission does not repeat. */
  private static void awaitDriver(YarnCluster yarn, LoggedProcess submit, String words)
      throws IOException, InterruptedException {
    long deadline = System.nanoTime() + LONGEST.toNanos();
    while (!yarn.driverLog().contains(words)) {
      assertTrue(submit.isAlive() && System.nanoTime() < deadline, yarn.driverLog() + submit.log());
      Thread.sleep(50);
    }
  }

  private static JsonNode summary(FileSystem files, org.apache.hadoop.fs.Path run)
      throws IOException {
    try (InputStream json = files.open(new org.apache.hadoop.fs.Path(run, "run.json"))) {
      return new ObjectMapper().readTree(json);
    }
  }

  private static org.apache.hadoop.fs.Path path(String name) {
    return new org.apache.hadoop.fs.Path(name);
  }
}
