package org.sparkformer.spark;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import org.apache.hadoop.conf.Configuration;
import org.sparkformer.collective.Collective;
import org.sparkformer.collective.CollectiveOptions;
import org.sparkformer.collective.ForwardingTransport;
import org.sparkformer.collective.SummationTree;
import org.sparkformer.collective.Transport;
import org.sparkformer.collective.TreeCollective;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.spark.transport.DriverClient;
import org.sparkformer.spark.transport.RankServer;
import org.sparkformer.spark.transport.SparkNetwork;
import org.sparkformer.spark.transport.SparkTransport;
import org.sparkformer.tensor.reference.JavaBackend;
import org.sparkformer.training.LeaseCheck;
import org.sparkformer.training.RankTrainer;
import org.sparkformer.training.RunFolder;
import org.sparkformer.training.RunSummary;
import org.sparkformer.training.TrainingListener;
import org.sparkformer.training.TrainingRun;
import org.sparkformer.training.configuration.RunConfiguration;

/** What a {@link RankProcess} runs: one rank of one attempt after another, as it is told. */
final class OrderedRank {
  private OrderedRank() {}

  public static void main(String[] arguments) throws Exception {
    BlockingQueue<String> addresses = new LinkedBlockingQueue<>();
    Semaphore goOn = new Semaphore(0);
    Thread rank = null;
    int pauseAt = 0;
    BufferedReader input =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      String[] told = line.split(" ", 2);
      if (told[0].equals("begin")) {
        RankProcess.Order order = RankProcess.Order.parse(told[1]);
        addresses.clear();
        Points points = new Points(pauseAt, goOn);
        pauseAt = 0;
        rank =
            new Thread(
                () -> System.out.println(RankProcess.END + end(order, addresses, points)), "rank");
        rank.start();
      } else if (told[0].equals("train")) {
        addresses.add(told[1]);
      } else if (told[0].equals("pause")) {
        pauseAt = Integer.parseInt(told[1]);
      } else if (told[0].equals("go")) {
        goOn.release();
      } else if (rank != null) {
        rank.interrupt();
      }
    }
    System.exit(0);
  }

  /** Where the process is on its way. */
  private static final class Points {
    private final int pauseAt;
    private final Semaphore goOn;
    private int passed;

    Points(int pauseAt, Semaphore goOn) {
      this.pauseAt = pauseAt;
      this.goOn = goOn;
    }

    synchronized void pass() {
      System.out.println(RankProcess.POINT);
      passed++;
      if (passed == pauseAt) {
        System.out.println(RankProcess.PAUSE);
        goOn.acquireUninterruptibly();
      }
    }
  }

  private static String end(
      RankProcess.Order order, BlockingQueue<String> addresses, Points points) {
    try {
      return run(order, addresses, points).weightsSha256();
    } catch (IOException | InterruptedException | RuntimeException ended) {
      return String.valueOf(ended.getMessage()).replace('\n', ' ');
    }
  }

  /** As {@link TrainingRank} does. */
  private static RunSummary run(
      RankProcess.Order order, BlockingQueue<String> addresses, Points points)
      throws IOException, InterruptedException {
    SparkNetwork network = SparkNetwork.loopback(Map.of());
    Configuration hadoop = new Configuration(false);
    RunConfiguration configuration =
        TinyRun.request(order.run(), "unused", RankProcess.training()).configuration();
    try (JavaBackend backend = new JavaBackend(1);
        DriverClient driver =
            DriverClient.connect(
                network, order.driver(), order.runId(), order.attempt(), order.rank());
        TokenDataset dataset = TokenDataset.open(hadoop, order.dataset());
        Collective collective = collective(network, order, addresses, points)) {
      RunFolder folder = RunFolder.of(hadoop, order.run().toUri().toString());
      return new RankTrainer(
              new TrainingRun(configuration, dataset, folder, true),
              backend,
              collective,
              listener(order, driver, folder))
          .train();
    }
  }

  private static TrainingListener listener(
      RankProcess.Order order, DriverClient driver, RunFolder folder) {
    LeaseCheck lease = new LeaseCheck(folder, order.token());
    return order.rank() == 0
        ? new ProgressLine.Relay(driver, lease, RankProcess.LONG)
        : new ProgressLine.Fenced(driver, lease);
  }

  private static Collective collective(
      SparkNetwork network, RankProcess.Order order, BlockingQueue<String> addresses, Points points)
      throws InterruptedException {
    RankServer server =
        SparkTransport.listen(network, order.runId(), order.attempt(), RankProcess.RANKS);
    try {
      System.out.println(RankProcess.ADDRESS + server.address());
      List<String> all = List.of(addresses.take().split(","));
      SparkTransport transport = server.connect(all, order.rank(), RankProcess.LONG);
      return new TreeCollective(
          new SummationTree(RankProcess.training().microBatches()),
          new PointedTransport(transport, points),
          CollectiveOptions.of(order.runId(), order.attempt(), RankProcess.LONG));
    } catch (RuntimeException | InterruptedException failed) {
      server.close();
      throw failed;
    }
  }

  private static final class PointedTransport extends ForwardingTransport {
    private final Points points;

    PointedTransport(Transport transport, Points points) {
      super(transport);
      this.points = points;
    }

    @Override
    public void send(int peer, ByteBuffer frame, Runnable released) {
      points.pass();
      super.send(peer, frame, released);
    }
  }
}
