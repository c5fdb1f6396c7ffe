package org.sparkformer.spark.transport;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.sparkformer.collective.Collective;
import org.sparkformer.testkit.LoggedProcess;

/**
 * Rank 1 of 2 in a process of its own, for tests that kill it. Passes one barrier, then sits still.
 */
final class PeerProcess {
  private static final String SAYS_ADDRESS = "address ";

  private final Process process;
  private final String address;

  private PeerProcess(Process process, String address) {
    this.process = process;
    this.address = address;
  }

  static PeerProcess start(String run, String addressOfZero) throws IOException {
    List<String> command =
        LoggedProcess.java(List.of(), PeerProcess.class, List.of(run, addressOfZero));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    BufferedReader output =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    for (String line = output.readLine(); line != null; line = output.readLine()) {
      if (line.startsWith(SAYS_ADDRESS)) {
        return new PeerProcess(process, line.substring(SAYS_ADDRESS.length()));
      }
    }
    throw new IOException("the peer process ended before it listened");
  }

  String address() {
    return address;
  }

  void kill() {
    process.destroyForcibly();
  }

  public static void main(String[] arguments) throws InterruptedException {
    try (RankServer server =
        SparkTransport.listen(Networks.network(Networks.plain()), arguments[0], 0, 2)) {
      System.out.println(SAYS_ADDRESS + server.address());
      List<String> addresses = List.of(arguments[1], server.address());
      SparkTransport transport = server.connect(addresses, 1, Duration.ofSeconds(60));
      try (Collective collective = SparkTransportTest.collective(transport, 600)) {
        collective.barrier();
        Thread.sleep(Duration.ofMinutes(5).toMillis());
      }
    }
  }
}
