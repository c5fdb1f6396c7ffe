package org.sparkformer.spark.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkformer.collective.CollectiveException;

/** Who is refused before any payload, and with which words. */
final class RefusedCallersTest {
  private static final String RUN = "transport-test";
  private static final int REFUSED = 3;

  @TempDir Path folder;

  @Test
  void aCallerWithoutTheSecretIsRefused() throws Exception {
    for (SparkConf host : List.of(Networks.authenticated("right"), Networks.tls("right", folder))) {
      assertRefused(host, Networks.authenticated("wrong"), RUN, 0, "cannot connect to rank 0");
      assertRefused(host, Networks.plain(), RUN, 0, "cannot connect to rank 0");
    }
  }

  /** Whoever demands more is not served less, whichever side it is. */
  @Test
  void noSideIsTalkedDownToPlainText() throws Exception {
    String refusal = "cannot connect to rank 0";
    assertRefused(Networks.tls("right", folder), Networks.authenticated("right"), RUN, 0, refusal);
    assertRefused(Networks.authenticated("right"), Networks.tls("right", folder), RUN, 0, refusal);
    assertRefused(Networks.plain(), Networks.authenticated("right"), RUN, 0, refusal);
    assertRefused(Networks.plain(), Networks.tls("right", folder), RUN, 0, refusal);
  }

  /** Another application of the cluster has another secret; with the same one, another run. */
  @Test
  void anotherApplicationIsRefused() {
    assertRefused(
        Networks.authenticated("right"),
        Networks.authenticated("another application's"),
        RUN,
        0,
        "cannot connect to rank 0");
    assertRefused(
        Networks.authenticated("right"),
        Networks.authenticated("right"),
        "another run",
        0,
        "this is run transport-test");
  }

  @Test
  void aCallerOfAnotherRunOrAttemptIsRefused() {
    assertRefused(
        Networks.plain(), Networks.plain(), RUN, 1, "this is run transport-test attempt 0");
    assertRefused(Networks.plain(), Networks.plain(), "other", 0, "not Hello[runId=other");
  }

  /** Before the others are known: what such a caller sends would wait for nobody. */
  @Test
  void aCallerWithARankThatTheGangDoesNotHaveIsRefused() {
    SparkNetwork network = Networks.network(Networks.authenticated("right"));
    try (RankServer zero = SparkTransport.listen(network, RUN, 0, 2);
        RankServer third = SparkTransport.listen(network, RUN, 0, 3)) {
      List<String> addresses = List.of(zero.address(), "localhost:1", third.address());
      String message =
          assertThrows(
                  CollectiveException.class,
                  () -> third.connect(addresses, 2, Duration.ofSeconds(5)))
              .getMessage();
      assertTrue(message.contains("there is no rank 2 among the 2 of this run"), message);
    }
  }

  /** The caller is a process, which tells the words with which it was refused. */
  @ParameterizedTest
  @CsvSource({
    "false, '', transport-test, cannot connect to rank 0",
    "false, wrong, transport-test, cannot connect to rank 0",
    "true, right, transport-test, cannot connect to rank 0",
    "false, right, another run, this is run transport-test"
  })
  void anotherProcessIsRefused(boolean tls, String secret, String run, String expected)
      throws Exception {
    SparkConf host = tls ? Networks.tls("right", folder) : Networks.authenticated("right");
    try (RankServer zero = SparkTransport.listen(Networks.network(host), RUN, 0, 2)) {
      String words = Caller.wordsOf(zero.address(), secret, run);
      assertTrue(words.contains(expected), words);
    }
  }

  /** Calls rank 0 and prints how that failed. */
  static final class Caller {
    private Caller() {}

    static String wordsOf(String... arguments) throws Exception {
      List<String> command = new ArrayList<>();
      command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
      command.addAll(List.of("-cp", System.getProperty("java.class.path"), Caller.class.getName()));
      command.addAll(List.of(arguments));
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      String words = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertEquals(REFUSED, process.waitFor(), words);
      return words;
    }

    public static void main(String[] arguments) {
      String secret = arguments[1];
      SparkConf conf = secret.isEmpty() ? Networks.plain() : Networks.authenticated(secret);
      try (RankServer one = SparkTransport.listen(Networks.network(conf), arguments[2], 0, 2)) {
        one.connect(List.of(arguments[0], one.address()), 1, Duration.ofSeconds(5));
      } catch (CollectiveException refused) {
        System.out.println(refused.getMessage());
        System.exit(REFUSED);
      }
    }
  }

  private static void assertRefused(
      SparkConf host, SparkConf guest, String run, int attempt, String expected) {
    try (RankServer zero = SparkTransport.listen(Networks.network(host), RUN, 0, 2);
        RankServer one = SparkTransport.listen(Networks.network(guest), run, attempt, 2)) {
      List<String> addresses = List.of(zero.address(), one.address());
      String message =
          assertThrows(
                  CollectiveException.class, () -> one.connect(addresses, 1, Duration.ofSeconds(5)))
              .getMessage();
      assertTrue(message.contains(expected), message);
    }
  }
}
