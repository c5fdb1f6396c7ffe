package org.sparkformer.spark.transport;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.apache.spark.SparkConf;
import org.sparkformer.collective.Activity;
import org.sparkformer.collective.Collective;
import org.sparkformer.collective.CollectiveException;
import org.sparkformer.testkit.LoggedProcess;

/**
 * Rank 1 of 2 in a process of its own, one run after another: told a run and where to call, it sums
 * with rank 0 until the run ends, and says how many sums were wrong. The process ends at once when
 * its memory does not suffice, as executors of many clusters do.
 */
final class SummingPeer implements AutoCloseable {
  static final Duration LONG = Duration.ofSeconds(60);
  static final int LENGTH = 1001;

  /** A rank that gives signs of life. */
  static final Activity SUMMING =
      new Activity() {
        @Override
        public String description() {
          return "a sum";
        }

        @Override
        public Duration stillness() {
          return Duration.ZERO;
        }
      };

  private static final String SETTING = "=";
  private static final String MEMORY = "memory";

  private final Process process;
  private final BufferedReader output;
  private final PrintWriter input;

  private SummingPeer(Process process) {
    this.process = process;
    this.output =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    this.input = new PrintWriter(process.getOutputStream(), true, StandardCharsets.UTF_8);
  }

  /** Starts the process, with Spark's settings. */
  static SummingPeer start(SparkConf conf) throws IOException {
    List<String> settings =
        Arrays.stream(conf.getAll()).map(each -> each._1() + SETTING + each._2()).toList();
    List<String> command =
        LoggedProcess.java(
            List.of("-Xmx256m", "-XX:+UseG1GC", "-XX:+ExitOnOutOfMemoryError"),
            SummingPeer.class,
            settings);
    return new SummingPeer(
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start());
  }

  /** Begins a run of one connection, and returns where the peer listens. */
  String begin(String run, String addressOfZero, int timeoutSeconds) throws IOException {
    return begin(run, addressOfZero, timeoutSeconds, 1);
  }

  /** Begins a run, and returns where the peer listens. */
  String begin(String run, String addressOfZero, int timeoutSeconds, int connections)
      throws IOException {
    input.println(run + " " + addressOfZero + " " + timeoutSeconds + " " + connections);
    return heard("address");
  }

  /** Wrong sums of the run that has ended. */
  int wrongSums() throws IOException {
    return Integer.parseInt(heard("wrong"));
  }

  /** What its process holds now, in bytes; while it sums, too. */
  long usedMemory() throws IOException {
    input.println(MEMORY);
    return Long.parseLong(heard(MEMORY));
  }

  private String heard(String word) throws IOException {
    for (String line = output.readLine(); line != null; line = output.readLine()) {
      if (line.startsWith(word + " ")) {
        return line.substring(word.length() + 1);
      }
    }
    throw new IOException("the peer process ended");
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }

  public static void main(String[] arguments) throws Exception {
    SparkConf conf = Networks.plain();
    for (String setting : arguments) {
      String[] told = setting.split(SETTING, 2);
      conf.set(told[0], told[1]);
    }
    SparkNetwork network = Networks.network(conf);
    BlockingQueue<String> runs = new LinkedBlockingQueue<>();
    Thread listening = new Thread(() -> listen(runs), "listening");
    listening.setDaemon(true);
    listening.start();
    while (true) {
      String[] told = runs.take().split(" ");
      int connections = Integer.parseInt(told[3]);
      try (RankServer server = SparkTransport.listen(network, told[0], 0, 2, connections)) {
        System.out.println("address " + server.address());
        int wrong = run(server, told[0], told[1], Integer.parseInt(told[2]));
        System.out.println("wrong " + wrong);
      }
    }
  }

  /** Passes runs on and says what memory is used, until the input ends, and the process with it. */
  private static void listen(BlockingQueue<String> runs) {
    try {
      BufferedReader input =
          new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      for (String line = input.readLine(); line != null; line = input.readLine()) {
        if (line.equals(MEMORY)) {
          System.out.println(MEMORY + " " + UsedMemory.bytes());
        } else {
          runs.add(line);
        }
      }
    } catch (IOException ended) {
      // As the input has.
    } finally {
      Runtime.getRuntime().halt(0);
    }
  }

  private static int run(RankServer server, String run, String addressOfZero, int seconds) {
    int wrong = 0;
    try (Collective collective =
        SparkTransportTest.collective(
            server.connect(List.of(addressOfZero, server.address()), 1, LONG), run, seconds)) {
      collective.watch(SUMMING);
      for (int round = 0; true; round++) {
        wrong += sumIsRight(collective, round) ? 0 : 1;
      }
    } catch (CollectiveException ended) {
      return wrong;
    }
  }

  /** One all-reduce, of numbers that differ from round to round. */
  static boolean sumIsRight(Collective collective, int round) {
    FloatBuffer values = FloatBuffer.allocate(LENGTH);
    for (int i = 0; i < LENGTH; i++) {
      values.put(i, (collective.rank() + 1) * (round % 1024 + i));
    }
    FloatBuffer sum = FloatBuffer.allocate(LENGTH);
    collective.allReduce(List.of(values), sum);
    for (int i = 0; i < LENGTH; i++) {
      if (sum.get(i) != 3f * (round % 1024 + i)) {
        return false;
      }
    }
    return true;
  }
}
