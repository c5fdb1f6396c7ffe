package org.sparkformer.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkformer.app.Sparkformer;
import org.sparkformer.testkit.LoggedProcess;
import org.sparkformer.testkit.StandaloneCluster;

/** Four hosts, one rank each, and a link between them that fails while they train. */
@Tag("soak")
class CutLinkTest {
  private static final Path TARGET = Path.of("../app/target").toAbsolutePath().normalize();
  private static final Duration LONGEST = Duration.ofMinutes(4);
  private static final String RESTART = "going on from the newest checkpoint";

  /** Half of what ranks wait for calls that do not come. */
  private static final Duration MEETING = Duration.ofSeconds(60);

  /** Seconds without any progress after which a step is ended. */
  private static final int STEP_TIMEOUT = 20;

  @TempDir private Path folder;
  private Path text;
  private Path configuration;

  @BeforeEach
  void write() throws IOException, InterruptedException {
    assumeTrue(isRoot(), "network namespaces need root");
    text = Files.writeString(folder.resolve("text.txt"), "to be or not to be.\n".repeat(200));
    configuration =
        Files.writeString(
            folder.resolve("toy.yaml"),
            """
            model: {layers: 2, heads: 2, width: 64, context: 32}
            data: {tokenizer: char}
            training: {steps: 1200, batch_size: 4, micro_batch_size: 1, eval_interval: 0,
              checkpoint_interval: 100, log_interval: 10, warmup_steps: 2, step_timeout: %d,
              connections: 2}
            """
                .formatted(STEP_TIMEOUT));
  }

  @Test
  void aRunOutlivesALinkThatIsCutBrieflyAndOneThatIsCutForLong() throws Exception {
    try (NetworkHosts hosts = hosts();
        StandaloneCluster cluster = cluster(hosts)) {
      trainCalmly(cluster);
      try (LoggedProcess driver = cluster.submit("cut", submission("cut", 4))) {
        driver.await("step 200/", LONGEST);
        hosts.cut(2);
        Thread.sleep(Duration.ofSeconds(STEP_TIMEOUT / 4).toMillis());
        hosts.heal(2);
        driver.await("step 400/", LONGEST);
        assertTrue(!driver.log().contains(RESTART), driver.log());
        hosts.cut(3);
        driver.await(RESTART, LONGEST);
        hosts.heal(3);
        assertEquals(0, driver.exitCode(LONGEST), driver.log());
      }
      assertEquals(weights("calm"), weights("cut"));
    }
  }

  /**
   * The first attempt loses a connection, and the next cannot make one. The higher of two ranks
   * calls: its call is refused, or what answers it, as Spark places them.
   *
   * @param refusing host that refuses what goes to the other of 2 and 3
   */
  @ParameterizedTest
  @ValueSource(ints = {2, 3})
  void connectionsThatEndWithAnErrorEndTheAttemptAtOnce(int refusing) throws Exception {
    try (NetworkHosts hosts = hosts();
        StandaloneCluster cluster = cluster(hosts)) {
      trainCalmly(cluster);
      try (LoggedProcess driver = cluster.submit("refused", submission("refused", 4))) {
        driver.await("step 200/", LONGEST);
        hosts.refuse(refusing, 5 - refusing);
        driver.await(RESTART, Duration.ofSeconds(STEP_TIMEOUT / 2));
        driver.await("(?s)" + (RESTART + ".*").repeat(2), MEETING);
        hosts.allow(refusing, 5 - refusing);
        assertEquals(0, driver.exitCode(LONGEST), driver.log());
        assertTrue(
            driver.log().matches("(?s).*cannot (connect to rank|reach it at).*"), driver.log());
      }
      assertEquals(weights("calm"), weights("refused"));
    }
  }

  private static NetworkHosts hosts() throws IOException, InterruptedException {
    return NetworkHosts.up(Path.of("hosts.sh").toAbsolutePath(), 4, 0);
  }

  private StandaloneCluster cluster(NetworkHosts hosts) throws IOException, InterruptedException {
    return StandaloneCluster.start(TARGET.resolve("spark"), folder, hosts.front(), hosts.all());
  }

  private void trainCalmly(StandaloneCluster cluster) throws IOException, InterruptedException {
    try (LoggedProcess calm = cluster.submit("calm", submission("calm", 1))) {
      assertEquals(0, calm.exitCode(LONGEST), calm.log());
    }
  }

  private List<String> submission(String run, int ranks) {
    List<String> arguments = new ArrayList<>();
    arguments.addAll(List.of("--total-executor-cores", Integer.toString(ranks)));
    arguments.addAll(List.of("--executor-cores", "1", "--executor-memory", "1g"));
    arguments.addAll(List.of("--class", Sparkformer.class.getName()));
    arguments.addAll(List.of(TARGET.resolve("sparkformer.jar").toString(), "train"));
    arguments.addAll(List.of(configuration.toString(), "--set", "data.input=" + text));
    arguments.addAll(List.of("--out", folder.resolve(run).toString()));
    return arguments;
  }

  private String weights(String run) throws IOException {
    return new ObjectMapper()
        .readTree(folder.resolve(run).resolve("run.json").toFile())
        .get("weights_sha256")
        .asText();
  }

  static boolean isRoot() throws IOException {
    return Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
  }
}
