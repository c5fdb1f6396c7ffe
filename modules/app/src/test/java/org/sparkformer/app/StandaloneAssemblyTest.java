package org.sparkformer.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.testkit.LoggedProcess;
import org.sparkformer.testkit.StandaloneCluster;
import org.sparkformer.testkit.StandaloneCluster.Host;
import picocli.CommandLine;

/** The assembly, as the README's spark-submit line gives it to a standalone cluster. */
@EnabledIfSystemProperty(
    named = StandaloneAssemblyTest.ASSEMBLY,
    matches = ".+",
    disabledReason = "runs in the phase integration-test: the assembly is not built before")
class StandaloneAssemblyTest {
  static final String ASSEMBLY = "sparkformer.assembly";
  private static final Duration LONGEST = Duration.ofSeconds(90);

  @TempDir private Path folder;
  private Path text;
  private Path configuration;

  @BeforeEach
  void write() throws IOException {
    text =
        Files.writeString(
            folder.resolve("text.txt"), "to be or not to be, that is it.\n".repeat(100));
    configuration =
        Files.writeString(
            folder.resolve("toy.yaml"),
            """
            model: {layers: 2, heads: 2, width: 32, context: 16}
            data: {tokenizer: char}
            training: {steps: 160, batch_size: 4, micro_batch_size: 1, eval_interval: 0,
              checkpoint_interval: 25, log_interval: 10, warmup_steps: 2}
            """);
  }

  @Test
  void aSubmittedRunThatLosesAnExecutorEndsWithTheWeightsOfLocalMode() throws Exception {
    trainLocally();
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
    }
    assertEquals(2, summary("cluster").get("ranks").asInt());
    assertEquals(summary("local").get("weights_sha256"), summary("cluster").get("weights_sha256"));
  }

  private void trainLocally() {
    StringWriter words = new StringWriter();
    CommandLine command = Sparkformer.commandLine();
    command.setOut(new PrintWriter(words)).setErr(new PrintWriter(words));
    assertEquals(0, command.execute(train("local")), words::toString);
  }

  private String[] train(String run) {
    return new String[] {
      "train",
      configuration.toString(),
      "--set",
      "data.input=" + text,
      "--out",
      folder.resolve(run).toString()
    };
  }

  /** As the README has it, for a smaller cluster. */
  private List<String> submission(Path jar, String run) {
    List<String> arguments = new ArrayList<>();
    arguments.addAll(List.of("--total-executor-cores", "2", "--executor-cores", "1"));
    arguments.addAll(List.of("--executor-memory", "1g"));
    arguments.addAll(List.of("--class", Sparkformer.class.getName(), jar.toString()));
    arguments.addAll(List.of(train(run)));
    return arguments;
  }

  private JsonNode summary(String run) throws IOException {
    return new ObjectMapper().readTree(folder.resolve(run).resolve("run.json").toFile());
  }
}
