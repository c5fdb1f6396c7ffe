package org.sparkformer.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.testkit.LoggedProcess;

/** Nothing stays of the hosts of a process that ends, however it does. */
class NetworkHostsTest {
  private static final Path SCRIPT = Path.of("hosts.sh").toAbsolutePath();
  private static final Duration LONGEST = Duration.ofSeconds(60);

  @TempDir private Path folder;

  @BeforeEach
  void look() throws Exception {
    assumeTrue(CutLinkTest.isRoot(), "network namespaces need root");
    // What ip netns exec does: a chroot, whose root is no mount point, allows it not.
    assumeTrue(run("unshare", "--net", "--mount", "true").isEmpty(), "no namespaces here");
    assumeTrue(namespaces().isEmpty(), "there are hosts here that others made");
  }

  @Test
  void aSignalThatEndsTheProcessTakesThemAway() throws Exception {
    try (LoggedProcess owner = owner()) {
      assertEquals(3, namespaces().lines().count(), namespaces());
      owner.signal("TERM");
      owner.exitCode(LONGEST);
      assertEquals("", namespaces(), owner.log());
    }
  }

  @Test
  void whatAKilledProcessLeftIsTakenAwayByTheNextAndWhatALivingOneHasIsNot() throws Exception {
    try (LoggedProcess owner = owner()) {
      IOException refused = assertThrows(IOException.class, () -> NetworkHosts.up(SCRIPT, 1, 0));
      assertTrue(refused.getMessage().contains("which runs"), refused.getMessage());
      assertEquals(3, namespaces().lines().count(), namespaces());
      owner.signal("KILL");
      owner.exitCode(LONGEST);
    }
    assertEquals(3, namespaces().lines().count(), namespaces());
    try (NetworkHosts hosts = NetworkHosts.up(SCRIPT, 1, 0)) {
      assertTrue(hosts.description().contains("left behind"), hosts.description());
      assertEquals(2, namespaces().lines().count(), namespaces());
    }
    assertEquals("", namespaces());
  }

  /** A process that has two hosts, with one of its own on the first, as a cluster's workers are. */
  private LoggedProcess owner() throws Exception {
    List<String> command =
        LoggedProcess.java(
            List.of(),
            System.getProperty("java.class.path"),
            Owner.class.getName(),
            List.of(SCRIPT.toString()));
    LoggedProcess process = LoggedProcess.start(folder.resolve("owner.log"), Map.of(), command);
    process.await("ready", LONGEST);
    return process;
  }

  private static String namespaces() throws Exception {
    return run("sh", "-c", "ip netns list | grep ^sparkformer- || true");
  }

  private static String run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
  }

  /** Makes hosts and waits for its end. */
  static final class Owner {
    private Owner() {}

    public static void main(String[] arguments) throws Exception {
      NetworkHosts hosts = NetworkHosts.up(Path.of(arguments[0]), 2, 0);
      List<String> sleeping = hosts.all().get(0).prefix();
      new ProcessBuilder(sleeping.get(0), sleeping.get(1), sleeping.get(2), "sleep", "600").start();
      System.out.println("ready");
      Thread.sleep(Duration.ofMinutes(10).toMillis());
    }
  }
}
