package org.sparkformer.app.command;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.sparkformer.app.InputException;
import org.sparkformer.spark.Cluster;
import picocli.CommandLine.Option;

/** {@code --master}. */
final class ClusterOption {
  private static final Pattern MASTER =
      Pattern.compile(
          "local|local\\[(\\*|\\d+)(\\s*,\\s*\\d+)?]"
              + "|local-cluster\\[\\s*\\d+\\s*,\\s*\\d+\\s*,\\s*\\d+\\s*]|spark://[^:/]+:\\d+(,[^:/]+:\\d+)*|k8s://.+|yarn");

  private static final String STANDALONE = "spark://";
  private static final int ANSWER_MILLIS = 5000;

  @Option(
      names = "--master",
      paramLabel = "URL",
      description =
          "Spark's master: local[N], local-cluster[N,CORES,MIB] or spark://HOST:PORT; under"
              + " spark-submit only, k8s://URL or yarn (default: spark-submit's; without it, local"
              + " mode).")
  private String master;

  /**
   * @param slots tasks that must be able to run at once, where local mode is the default
   */
  Cluster open(String name, int slots) throws IOException, InputException {
    return Cluster.open(name, Optional.of(chosen(slots)));
  }

  /** As {@link #open}, see {@link Cluster#openForTraining}. */
  Cluster openForTraining(String name, int slots, String device)
      throws IOException, InputException {
    return Cluster.openForTraining(name, chosen(slots), device);
  }

  private String chosen(int slots) throws InputException {
    int threads = Math.max(slots, Runtime.getRuntime().availableProcessors());
    String chosen =
        Optional.ofNullable(master).or(Cluster::givenMaster).orElse("local[" + threads + "]");
    if (!MASTER.matcher(chosen).matches()) {
      throw new InputException(
          "--master "
              + chosen
              + ": expected local[N], local-cluster[N,CORES,MIB] or spark://HOST:PORT; under"
              + " spark-submit only, k8s://URL or yarn");
    }
    if (chosen.startsWith(STANDALONE)) {
      requireAnswer(chosen);
    }
    return chosen;
  }

  /** Spark itself tries for a minute, and then says no more than that it has been shut down. */
  private static void requireAnswer(String standalone) throws InputException {
    List<String> silent = new ArrayList<>();
    for (String master : standalone.substring(STANDALONE.length()).split(",")) {
      int colon = master.lastIndexOf(':');
      String host = master.substring(0, colon);
      try (Socket socket = new Socket()) {
        int port = Integer.parseInt(master.substring(colon + 1));
        socket.connect(new InetSocketAddress(host, port), ANSWER_MILLIS);
        return;
      } catch (IOException | IllegalArgumentException unreachable) {
        silent.add(master + " (" + unreachable + ")");
      }
    }
    throw new InputException(
        "no Spark master answers at %s: check --master, and that one runs there"
            .formatted(String.join(", ", silent)));
  }
}
