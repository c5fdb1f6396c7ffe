package org.sparkformer.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.testkit.LoggedProcess;
import org.sparkformer.testkit.StandaloneCluster;
import org.sparkformer.testkit.StandaloneCluster.Host;

/** The assembly, as the README's lines give it to a standalone cluster. */
@EnabledIfSystemProperty(
    named = StandaloneAssemblyTest.ASSEMBLY,
    matches = ".+",
    disabledReason = "runs in the phase integration-test: the assembly is not built before")
class StandaloneAssemblyTest {
  static final String ASSEMBLY = "sparkformer.assembly";
  private static final Duration LONGEST = Duration.ofSeconds(90);

  @TempDir private Path folder;
  private ToyProject project;

  @BeforeEach
  void write() throws IOException {
    project =
        new ToyProject(
            folder,
            """
            model: {layers: 2, heads: 2, width: 32, context: 16}
            data: {tokenizer: char}
            training: {steps: 160, batch_size: 4, micro_batch_size: 1, eval_interval: 0,
              checkpoint_interval: 25, log_interval: 10, warmup_steps: 2}
            """);
  }

  @Test
  void runsOfBothLinesEndWithTheWeightsOfLocalModeThoughAnExecutorIsLost() throws Exception {
    JsonNode local = project.train("local");
    Path jar = Path.of(System.getProperty(ASSEMBLY));
    try (StandaloneCluster cluster =
            StandaloneCluster.start(
                jar.resolveSibling("spark"),
                folder,
                Host.LOOPBACK,
                Collections.nCopies(2, Host.LOOPBACK));
        LoggedProcess driver = cluster.submit("driver", submission(jar, "cluster"))) {
      driver.await("step 60/160", LONGEST);
      List<ProcessHandle> executors = cluster.executors(1);
      assertEquals(1, executors.size());
      executors.get(0).destroyForcibly();
      assertEquals(0, driver.exitCode(LONGEST), driver.log());
      assertTrue(driver.log().contains("going on from the newest checkpoint"), driver.log());
      try (LoggedProcess again = cluster.submit("again", submission(jar, "cluster"))) {
        assertEquals(0, again.exitCode(LONGEST), again.log());
        assertTrue(again.log().contains("is complete: 160 steps"), again.log());
        assertFalse(again.log().contains("step 1/160"), again.log());
      }
      try (LoggedProcess command = command(jar, "command", cluster.url())) {
        assertEquals(0, command.exitCode(LONGEST), command.log());
      }
    }
    for (String run : List.of("cluster", "command")) {
      JsonNode summary = project.summary(run);
      assertEquals(2, summary.get("ranks").asInt());
      assertEquals(local.get("weights_sha256"), summary.get("weights_sha256"));
    }
  }

  /** What {@code ./sparkformer train ... --master spark://...} runs. */
  private LoggedProcess command(Path jar, String run, String master) throws IOException {
    String[] arguments = project.training(run, "--set", project.inputOption(), "--master", master);
    return LoggedProcess.start(
        folder.resolve(run + ".log"),
        Map.of("SPARK_LOCAL_IP", Host.LOOPBACK.address()),
        LoggedProcess.java(
            List.of("-Xmx1g"),
            jar + File.pathSeparator + jar.resolveSibling("spark").resolve("jars") + "/*",
            Sparkformer.class.getName(),
            List.of(arguments)));
  }

  /** As the README has it, for a smaller cluster. */
  private List<String> submission(Path jar, String run) {
    List<String> arguments = new ArrayList<>();
    arguments.addAll(List.of("--total-executor-cores", "2", "--executor-cores", "1"));
    arguments.addAll(List.of("--executor-memory", "1g"));
    arguments.addAll(List.of("--class", Sparkformer.class.getName(), jar.toString()));
    arguments.addAll(List.of(project.training(run, "--set", project.inputOption())));
    return arguments;
  }
}
