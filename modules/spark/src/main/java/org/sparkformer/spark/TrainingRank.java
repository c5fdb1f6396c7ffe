package org.sparkformer.spark;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkEnv;
import org.apache.spark.util.SerializableConfiguration;
import org.sparkformer.collective.Collective;
import org.sparkformer.collective.CollectiveOptions;
import org.sparkformer.collective.ExchangeRule;
import org.sparkformer.collective.InProcessTransport;
import org.sparkformer.collective.SummationTree;
import org.sparkformer.collective.Transport;
import org.sparkformer.collective.TreeCollective;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.data.TokenDataset.Verification;
import org.sparkformer.spark.transport.DriverClient;
import org.sparkformer.spark.transport.RankServer;
import org.sparkformer.spark.transport.SparkNetwork;
import org.sparkformer.spark.transport.SparkTransport;
import org.sparkformer.training.Json;
import org.sparkformer.training.LeaseCheck;
import org.sparkformer.training.RankTrainer;
import org.sparkformer.training.RunFolder;
import org.sparkformer.training.TrainingListener;
import org.sparkformer.training.TrainingRun;
import org.sparkformer.training.configuration.TrainingConfiguration;

/** One rank of a training run: gathers what the trainer needs, and gives all of it back. */
final class TrainingRank implements RankWork {
  private static final long serialVersionUID = 1L;

  /** How long ranks wait for each other's first call, once all of them have begun. */
  private static final Duration MEETING = Duration.ofSeconds(120);

  private final RankOrder order;
  private final SerializableConfiguration hadoop;

  TrainingRank(RankOrder order, Configuration hadoop) {
    this.order = order;
    this.hadoop = new SerializableConfiguration(hadoop);
  }

  @Override
  public byte[] run(RankContext context) throws IOException, InterruptedException {
    try (RankDevice device = openDevice(context);
        DriverClient driver = callDriver(context);
        TokenDataset dataset =
            TokenDataset.open(hadoop.value(), order.dataset(), Verification.SIZES)) {
      TrainingListener listener = listener(context.rank(), driver);
      try (Collective collective = collective(context)) {
        warnOfMixedDevices(collective, device.name(), listener);
        RankTrainer trainer =
            new RankTrainer(trainingRun(dataset, context), device.backend(), collective, listener);
        return Json.line(trainer.train()).getBytes(StandardCharsets.UTF_8);
      }
    }
  }

  /** Rank 0 alone reports; every rank asks before it writes. */
  private TrainingListener listener(int rank, DriverClient driver) throws IOException {
    RankOrder.Writer writer = order.writer();
    LeaseCheck lease = new LeaseCheck(folder(), writer.token());
    return rank == 0
        ? new ProgressLine.Relay(driver, lease, writer.recheck())
        : new ProgressLine.Fenced(driver, lease);
  }

  private RunFolder folder() throws IOException {
    return RunFolder.of(hadoop.value(), order.output());
  }

  private static void warnOfMixedDevices(
      Collective collective, String device, TrainingListener listener) {
    List<String> devices =
        collective.allGather(device.getBytes(StandardCharsets.UTF_8)).stream()
            .map(name -> new String(name, StandardCharsets.UTF_8))
            .toList();
    if (devices.stream().distinct().count() > 1) {
      listener.onMessage(
          "ranks run on different devices, which round differently: " + String.join("; ", devices));
    }
  }

  /** An attempt after the first finds this run's own checkpoints, and goes on from them. */
  private TrainingRun trainingRun(TokenDataset dataset, RankContext context) throws IOException {
    boolean resume = order.resume() || context.attempt() > 0;
    return new TrainingRun(order.configuration(), dataset, folder(), resume);
  }

  private RankDevice openDevice(RankContext context) throws IOException, InterruptedException {
    RankDevice.Neighbours neighbours = RankDevice.Neighbours.of(context.rank(), context.hosts());
    return RankDevice.open(order.device(), context.gpuAddresses(), neighbours);
  }

  private DriverClient callDriver(RankContext context) throws IOException {
    return DriverClient.connect(
        SparkNetwork.of(SparkEnv.get()),
        order.channels().driver(),
        order.channels().runId(),
        context.attempt(),
        context.rank());
  }

  private Collective collective(RankContext context) {
    TrainingConfiguration training = order.configuration().training();
    SummationTree tree = new SummationTree(training.microBatches());
    Duration timeout = Duration.ofSeconds(training.stepTimeout());
    CollectiveOptions options =
        CollectiveOptions.of(order.channels().runId(), context.attempt(), timeout)
            .withRule(ExchangeRule.DEFAULT.withDirectRanks(training.directRanks()));
    return new TreeCollective(tree, transport(context), options);
  }

  /** Ranks of one process hand each other their memory; all use the same kind of transport. */
  private Transport transport(RankContext context) {
    // Where one rank is on the driver, in local mode, all are: meeting would cost a second.
    if (context.onDriver()) {
      return inProcess(context);
    }
    RankServer server = listen(context);
    try {
      List<RankPlace> places = meet(context, server);
      if (places.stream().map(RankPlace::process).distinct().count() > 1) {
        List<String> addresses = places.stream().map(RankPlace::address).toList();
        return server.connect(addresses, context.rank(), MEETING);
      }
    } catch (Throwable e) { // Spark's barrier throws checked exceptions that it does not declare.
      server.close();
      throw e;
    }
    server.close();
    return inProcess(context);
  }

  private RankServer listen(RankContext context) {
    return SparkTransport.listen(
        SparkNetwork.of(SparkEnv.get()),
        order.channels().runId(),
        context.attempt(),
        context.size(),
        order.configuration().training().connections());
  }

  private static List<RankPlace> meet(RankContext context, RankServer server) {
    RankPlace own = new RankPlace(context.process(), server.address());
    return context.allGather(own.text()).stream().map(RankPlace::parse).toList();
  }

  private Transport inProcess(RankContext context) {
    return InProcessTransport.join(
        order.channels().runId(), context.attempt(), context.rank(), context.size());
  }
}
