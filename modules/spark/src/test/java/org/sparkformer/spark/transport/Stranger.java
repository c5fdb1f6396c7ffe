package org.sparkformer.spark.transport;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.spark.SparkConf;
import org.sparkformer.testkit.LoggedProcess;
import scala.Tuple2;

/**
 * A process that calls whatever listens, as a rank calls, and tells how it was refused: without the
 * secret and in plain text, with a wrong secret, and with the right one but for another run.
 */
public final class Stranger implements AutoCloseable {
  /** What only ranks and the driver's link say, and only to whom they take for one of them. */
  public static final String HEARD = "this is another run ";

  /** What a call came to that was not refused. */
  public static final String TAKEN_IN = "taken in";

  private static final String RIGHT = "the application's secret";
  private static final List<String> SECRETS = List.of("", "a wrong secret", RIGHT);
  private static final String SAID = "said ";
  private static final String OVER = "over";

  private final Process process;

  private Stranger(Process process) {
    this.process = process;
  }

  /** Authentication and TLS, with keys that are made in the folder. */
  public static Map<String, String> settings(Path folder) throws IOException, InterruptedException {
    return Arrays.stream(Networks.tls(RIGHT, folder).getAll())
        .collect(Collectors.toMap(Tuple2::_1, Tuple2::_2));
  }

  /**
   * @param folder of the keys, which a wrong secret comes with as well
   */
  public static Stranger start(Path folder) throws IOException {
    List<String> command =
        LoggedProcess.java(List.of("-Xmx256m"), Stranger.class, List.of(folder.toString()));
    return new Stranger(
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start());
  }

  /** How each call ended: a list for each of the three kinds, in their order. */
  public List<List<String>> call(List<String> addresses) throws IOException {
    new PrintWriter(process.getOutputStream(), true, StandardCharsets.UTF_8)
        .println(String.join(" ", addresses));
    List<List<String>> words = new ArrayList<>();
    SECRETS.forEach(secret -> words.add(new ArrayList<>()));
    BufferedReader output =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    for (String line = output.readLine(); !OVER.equals(line); line = output.readLine()) {
      if (line == null) {
        throw new IOException("the stranger has ended");
      }
      if (line.startsWith(SAID)) {
        words.get(line.charAt(SAID.length()) - '0').add(line.substring(SAID.length() + 2));
      }
    }
    return words;
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }

  public static void main(String[] arguments) throws Exception {
    String[] addresses =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))
            .readLine()
            .split(" ");
    for (int kind = 0; kind < SECRETS.size(); kind++) {
      String secret = SECRETS.get(kind);
      SparkConf conf =
          secret.isEmpty() ? Networks.plain() : Networks.tls(secret, Path.of(arguments[0]));
      for (String address : addresses) {
        System.out.println(SAID + kind + " " + refusal(Networks.network(conf), address));
      }
    }
    System.out.println(OVER);
  }

  private static String refusal(SparkNetwork network, String address) {
    try {
      DriverClient.connect(network, address, "another run", 0, 1).close();
      return TAKEN_IN;
    } catch (IOException | RuntimeException refused) {
      return String.valueOf(refused.getMessage()).replace('\n', ' ');
    }
  }
}
