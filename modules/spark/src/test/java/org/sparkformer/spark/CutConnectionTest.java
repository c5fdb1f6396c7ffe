package org.sparkformer.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.training.RunSummary;
import org.sparkformer.training.StepMetrics;
import org.sparkformer.training.configuration.TrainingConfiguration;

/** Two executors that keep three connections, one of which the operating system ends. */
class CutConnectionTest {
  private static final int CONNECTIONS = 3;
  private static final int STEPS = 60;
  private static final int CUT_AT = 25;

  private static SparkSession session;
  @TempDir static Path folder;

  @BeforeAll
  static void start() throws Exception {
    assumeTrue(mayEndSockets(), "ending another process's socket needs root and iproute2");
    session = SparkSessions.open("cut", Optional.of("local-cluster[2,1,1024]"));
    TinyRun.text(folder);
  }

  @AfterAll
  static void stop() {
    if (session != null) {
      session.stop();
    }
  }

  @Test
  void aRunWhoseConnectionIsCutGoesOnFromItsCheckpointToTheSameWeights() throws Exception {
    RunSummary calm = train("calm", OptionalInt.of(1), new TinyRun.Log());
    Cutting log = new Cutting();
    RunSummary cut = train("cut", OptionalInt.of(2), log);
    assertEquals(CONNECTIONS, log.connections, "connections between the ranks");
    assertEquals(2, log.starts.size(), log.messages.toString());
    assertTrue(log.messages.toString().contains("the connection to rank"), log.messages.toString());
    assertEquals(calm.weightsSha256(), cut.weightsSha256());
  }

  private static RunSummary train(String output, OptionalInt ranks, TinyRun.Log log)
      throws Exception {
    TrainingConfiguration training =
        TinyRun.training(STEPS).toBuilder()
            .evalInterval(0)
            .checkpointInterval(10)
            .connections(CONNECTIONS)
            .build();
    return new TrainingDriver(session)
        .train(TinyRun.request(folder, output, training).withRanks(ranks), log);
  }

  /** Cuts one of the connections after a step. */
  private static final class Cutting extends TinyRun.Log {
    private int connections;

    @Override
    public void onStep(StepMetrics metrics) {
      super.onStep(metrics);
      if (metrics.step() == CUT_AT && connections == 0) {
        List<Socket> between = betweenRanks();
        connections = between.size();
        if (connections > 1) {
          end(between.get(1));
        }
      }
    }
  }

  /** Those between the executors that go to one port: Spark keeps others of its own. */
  private static List<Socket> betweenRanks() {
    List<ProcessHandle> executors = new ExecutorProcesses(ProcessHandle.current()).alive();
    List<String> addresses = sockets(executors.get(1)).map(Socket::local).toList();
    List<Socket> between =
        sockets(executors.get(0)).filter(socket -> addresses.contains(socket.remote())).toList();
    return Stream.<Function<Socket, String>>of(Socket::local, Socket::remote)
        .flatMap(end -> between.stream().collect(Collectors.groupingBy(end)).values().stream())
        .max(Comparator.comparing(List::size))
        .orElse(List.of());
  }

  /** Of an established connection, as {@code ss} writes addresses. */
  private record Socket(String local, String remote) {}

  private static Stream<Socket> sockets(ProcessHandle process) {
    String owner = "pid=" + process.pid() + ",";
    return run("ss", "-Htnp", "state", "established")
        .lines()
        .filter(line -> line.contains(owner))
        .map(line -> line.trim().split(" +"))
        .map(words -> new Socket(words[2], words[3]));
  }

  private static void end(Socket socket) {
    run("ss", "-K", "src", socket.local(), "dst", socket.remote());
  }

  private static String run(String... command) {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      String words = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertEquals(0, process.waitFor(), words);
      return words;
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    } catch (InterruptedException interrupted) {
      throw new AssertionError(interrupted);
    }
  }

  private static boolean mayEndSockets() throws IOException {
    return Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0)
        && Stream.of("/usr/bin/ss", "/bin/ss", "/usr/sbin/ss")
            .map(Path::of)
            .anyMatch(Files::exists);
  }
}
