package org.sparkformer.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.management.OperatingSystemMXBean;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.sparkformer.collective.Algorithm;
import org.sparkformer.collective.Collective;
import org.sparkformer.collective.CollectiveOptions;
import org.sparkformer.collective.ExchangeRule;
import org.sparkformer.collective.SummationTree;
import org.sparkformer.collective.TreeCollective;
import org.sparkformer.spark.transport.RankServer;
import org.sparkformer.spark.transport.SparkNetwork;
import org.sparkformer.spark.transport.SparkTransport;

/**
 * One rank of {@code bench allreduce}, a process of its own: says its address, reads everyone's,
 * then sums vectors and, in turn, copies as many bytes through a bare socket. Rank 0 prints a line
 * of JSON a size.
 */
final class AllReduceRank {
  static final String SAYS_ADDRESS = "address ";
  static final String SAYS_TIMES = "times ";

  private static final String RUN = "bench-allreduce";
  private static final Duration TIMEOUT = Duration.ofMinutes(1);
  private static final int LEAST_WARM_UP = 3;

  private final Collective collective;
  private final RawCopy copy;
  private final int rounds;
  private final long warmFrom;

  private AllReduceRank(Collective collective, RawCopy copy, int rounds, int warmUpSeconds) {
    this.collective = collective;
    this.copy = copy;
    this.rounds = rounds;
    this.warmFrom = System.nanoTime() + TimeUnit.SECONDS.toNanos(warmUpSeconds);
  }

  /**
   * What rank 0 took.
   *
   * @param bytes of the vector
   * @param allReduce milliseconds of each round
   * @param rawCopy milliseconds of each round
   * @param allReduceCpu processor milliseconds of all threads, mean over the rounds
   * @param rawCopyCpu processor milliseconds of all threads, mean over the rounds
   */
  record Times(
      int bytes, double[] allReduce, double[] rawCopy, double allReduceCpu, double rawCopyCpu) {}

  /**
   * Arguments: rank, ranks, rounds, seconds of warm-up, sizes in bytes separated by commas,
   * connections, and an algorithm or an empty word.
   */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    int rank = Integer.parseInt(arguments[0]);
    int ranks = Integer.parseInt(arguments[1]);
    int rounds = Integer.parseInt(arguments[2]);
    int warmUpSeconds = Integer.parseInt(arguments[3]);
    int[] sizes = Arrays.stream(arguments[4].split(",")).mapToInt(Integer::parseInt).toArray();
    int connections = Integer.parseInt(arguments[5]);
    try (RankServer server =
        SparkTransport.listen(SparkNetwork.loopback(Map.of()), RUN, 0, ranks, connections)) {
      System.out.println(SAYS_ADDRESS + server.address());
      List<String> addresses = addresses();
      SparkTransport transport = server.connect(addresses, rank, TIMEOUT);
      try (Collective collective =
              new TreeCollective(
                  new SummationTree(ranks),
                  transport,
                  CollectiveOptions.of(RUN, 0, TIMEOUT).withRule(rule(arguments[6])));
          RawCopy copy = RawCopy.between(collective)) {
        new AllReduceRank(collective, copy, rounds, warmUpSeconds).run(sizes);
      }
    }
  }

  private static ExchangeRule rule(String algorithm) {
    return algorithm.isEmpty()
        ? ExchangeRule.DEFAULT
        : ExchangeRule.always(Algorithm.valueOf(algorithm));
  }

  private static List<String> addresses() throws IOException {
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    return List.of(in.readLine().split(","));
  }

  private void run(int[] sizes) throws IOException {
    ObjectMapper json = new ObjectMapper();
    for (int bytes : sizes) {
      Times times = times(bytes);
      if (collective.rank() == 0) {
        System.out.println(SAYS_TIMES + json.writeValueAsString(times));
      }
    }
    collective.barrier();
  }

  private Times times(int bytes) throws IOException {
    ByteBuffer memory = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    FloatBuffer vector = memory.asFloatBuffer();
    for (int i = 0; i < vector.limit(); i++) {
      vector.put(i, 1e-3f * i);
    }
    Stopwatch ours = new Stopwatch(rounds);
    Stopwatch raw = new Stopwatch(rounds);
    int round = -LEAST_WARM_UP;
    while (round < rounds) {
      collective.barrier();
      ours.time(round, () -> collective.allReduce(List.of(vector), vector));
      collective.barrier();
      raw.time(round, () -> copy.exchange(memory));
      round += round < -1 || isWarm() ? 1 : 0;
    }
    return new Times(bytes, ours.milliseconds, raw.milliseconds, ours.meanCpu(), raw.meanCpu());
  }

  /** Whether rank 0 finds that Java's compiler has had its time: it would be measured otherwise. */
  private boolean isWarm() {
    byte[] mine = {(byte) (System.nanoTime() < warmFrom ? 0 : 1)};
    return collective.allGather(mine).get(0)[0] == 1;
  }

  @FunctionalInterface
  private interface Work {
    void run() throws IOException;
  }

  /** Times of rounds; those before round 0 do not count. */
  private static final class Stopwatch {
    private static final OperatingSystemMXBean SYSTEM =
        ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

    private final double[] milliseconds;
    private double cpu;

    Stopwatch(int rounds) {
      milliseconds = new double[rounds];
    }

    void time(int round, Work work) throws IOException {
      long cpuBegin = SYSTEM.getProcessCpuTime();
      long begin = System.nanoTime();
      work.run();
      long end = System.nanoTime();
      if (round >= 0) {
        milliseconds[round] = (end - begin) / 1e6;
        cpu += (SYSTEM.getProcessCpuTime() - cpuBegin) / 1e6;
      }
    }

    double meanCpu() {
      return cpu / milliseconds.length;
    }
  }
}
