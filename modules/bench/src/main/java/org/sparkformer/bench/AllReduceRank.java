package org.sparkformer.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.sparkformer.collective.Collective;
import org.sparkformer.collective.CollectiveOptions;
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

  private static final Duration TIMEOUT = Duration.ofMinutes(1);
  private static final int WARM_UP = 3;

  private final Collective collective;
  private final RawCopy copy;
  private final int rounds;

  private AllReduceRank(Collective collective, RawCopy copy, int rounds) {
    this.collective = collective;
    this.copy = copy;
    this.rounds = rounds;
  }

  /**
   * Milliseconds of each round.
   *
   * @param bytes of the vector
   */
  record Times(int bytes, double[] allReduce, double[] rawCopy) {}

  /** Arguments: rank, rounds, sizes in bytes separated by commas. */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    int rank = Integer.parseInt(arguments[0]);
    int rounds = Integer.parseInt(arguments[1]);
    int[] sizes = Arrays.stream(arguments[2].split(",")).mapToInt(Integer::parseInt).toArray();
    try (RankServer server =
        SparkTransport.listen(SparkNetwork.loopback(Map.of()), "bench-allreduce", 0)) {
      System.out.println(SAYS_ADDRESS + server.address());
      List<String> addresses = addresses();
      SparkTransport transport = server.connect(addresses, rank, TIMEOUT);
      try (Collective collective =
              new TreeCollective(
                  new SummationTree(addresses.size()),
                  transport,
                  CollectiveOptions.of("bench-allreduce", 0, TIMEOUT));
          RawCopy copy = RawCopy.between(collective)) {
        new AllReduceRank(collective, copy, rounds).run(sizes);
      }
    }
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
    double[] ours = new double[rounds];
    double[] raw = new double[rounds];
    for (int round = -WARM_UP; round < rounds; round++) {
      double sum = milliseconds(() -> collective.allReduce(List.of(vector), vector));
      double copied = milliseconds(() -> copy.exchange(memory));
      if (round >= 0) {
        ours[round] = sum;
        raw[round] = copied;
      }
    }
    return new Times(bytes, ours, raw);
  }

  @FunctionalInterface
  private interface Work {
    void run() throws IOException;
  }

  private double milliseconds(Work work) throws IOException {
    collective.barrier();
    long begin = System.nanoTime();
    work.run();
    return (System.nanoTime() - begin) / 1e6;
  }
}
