package org.sparkformer.spark;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.function.Consumer;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.sparkformer.data.TokenDataset.Verification;
import org.sparkformer.spark.RankOrder.Channels;
import org.sparkformer.spark.dataset.BlockHosts;
import org.sparkformer.spark.transport.DriverLink;
import org.sparkformer.spark.transport.SparkNetwork;
import org.sparkformer.training.Json;
import org.sparkformer.training.RunFolder;
import org.sparkformer.training.RunInUseException;
import org.sparkformer.training.RunLease;
import org.sparkformer.training.RunSummary;
import org.sparkformer.training.TrainingListener;
import org.sparkformer.training.configuration.RunConfiguration;

/**
 * Trains a model on a Spark cluster: checks everything first, then runs a gang of ranks, again and
 * again from the newest checkpoint where executors are lost.
 */
public final class TrainingDriver {
  /** Spark settings of our own, in seconds. */
  private static final String GANG_TIMEOUT = "spark.sparkformer.gangTimeout";

  private static final String STOP_GRACE = "spark.sparkformer.stopGrace";
  private static final String WRITER_LIMIT = "spark.sparkformer.writerLimit";

  private final JavaSparkContext context;

  /**
   * @param session of {@link SparkSessions#open}
   */
  public TrainingDriver(SparkSession session) {
    this(JavaSparkContext.fromSparkContext(session.sparkContext()));
  }

  /**
   * @param context of {@link SparkSessions#openContext}
   */
  public TrainingDriver(JavaSparkContext context) {
    this.context = context;
  }

  /**
   * Takes a run's folder for this process: nobody else writes it until the lease is closed.
   *
   * @param messages told who is waited for
   * @throws org.sparkformer.training.RunInUseException if another process is writing it
   */
  public RunLease claim(String output, Consumer<String> messages) throws IOException {
    return RunLease.acquire(
        RunFolder.of(context.hadoopConfiguration(), output),
        context.sc().applicationId(),
        writerLimit(),
        messages);
  }

  /** As {@link #train(TrainingRequest, RunLease, TrainingListener)}, under a lease of its own. */
  public RunSummary train(TrainingRequest request, TrainingListener listener)
      throws IOException, InterruptedException, TrainingFailedException {
    try (RunLease lease = claim(request.output(), listener::onMessage)) {
      return train(request, lease, listener);
    }
  }

  /**
   * Trains to the last step.
   *
   * @param lease of the output folder
   * @param listener hears of the progress, on other threads, one call at a time
   * @return what {@code run.json} holds
   * @throws IllegalArgumentException when the request cannot work: found before training where it
   *     can be, and never tried again
   * @throws org.sparkformer.data.CorruptDatasetException when a file of the dataset is damaged, and
   *     it is none that this run builds
   * @throws org.sparkformer.training.RunInUseException when another process has taken the folder
   *     over
   * @throws TrainingStoppedException when this process was told to stop, by SIGTERM or SIGINT
   * @throws TrainingFailedException when training broke off and no restart is left or of use, as
   *     after divergence
   */
  public RunSummary train(TrainingRequest request, RunLease lease, TrainingListener listener)
      throws IOException, InterruptedException, TrainingFailedException {
    try (StopSignal stop = new StopSignal(context.sc(), seconds(STOP_GRACE, 20))) {
      try {
        RunSummary summary = checkAndLaunch(request, lease, listener, stop);
        requireEnd(request, summary);
        return summary;
      } catch (IOException | RuntimeException | TrainingFailedException e) {
        if (!stop.received()) {
          throw e;
        }
        TrainingStoppedException stopped = stopped(e);
        listener.onMessage(stopped.getMessage());
        lease.close();
        throw stopped;
      }
    }
  }

  private static void requireEnd(TrainingRequest request, RunSummary summary)
      throws TrainingStoppedException {
    int steps = request.configuration().training().steps();
    if (summary.steps() < steps) {
      throw new TrainingStoppedException(
          "stopped by a signal after step %d of %d, whose checkpoint is written; the same command goes on from there"
              .formatted(summary.steps(), steps),
          null);
    }
  }

  private static TrainingStoppedException stopped(Exception ending) {
    return ending instanceof TrainingStoppedException stopped
        ? stopped
        : new TrainingStoppedException(
            "stopped by a signal; the same command goes on from the newest checkpoint", ending);
  }

  private RunSummary checkAndLaunch(
      TrainingRequest request, RunLease lease, TrainingListener listener, StopSignal stop)
      throws IOException, InterruptedException, TrainingFailedException {
    check(request);
    GangSlots slots =
        new GangSlots(
            context.sc(), request.ranks(), seconds(GANG_TIMEOUT, 60), listener::onMessage);
    RunChecks.ranks(request, slots.await());
    String dataset = prepare(request, listener).uri();
    RunChecks.dataset(request, dataset, context.hadoopConfiguration());
    DriverProgress progress =
        new DriverProgress(listener, new RestartBudget(request.maxRestarts()), stop);
    return launchUntilDone(request, dataset, lease, slots, progress);
  }

  /**
   * What can be refused before a dataset is built.
   *
   * @throws IllegalArgumentException for more ranks than micro-batches, and in local mode for a
   *     device that is not there
   */
  public void check(TrainingRequest request) {
    request.ranks().ifPresent(asked -> RunChecks.ranks(request, asked));
    if (context.sc().isLocal()) {
      RunChecks.localDevice(request.device());
    }
  }

  private PreparedDataset prepare(TrainingRequest request, TrainingListener listener)
      throws IOException {
    RunConfiguration configuration = request.configuration();
    OptionalInt vocabulary = OptionalInt.of(configuration.model().vocabularySize());
    return new DatasetPreparation(context, Verification.CHECKSUMS)
        .prepare(configuration.data(), vocabulary, request.output(), listener::onMessage);
  }

  private Duration seconds(String key, int usual) {
    return Duration.ofSeconds(context.sc().conf().getTimeAsSeconds(key, usual + "s"));
  }

  private Duration writerLimit() {
    return seconds(WRITER_LIMIT, (int) RunLease.USUAL_LIMIT.toSeconds());
  }

  private RunSummary launchUntilDone(
      TrainingRequest request,
      String dataset,
      RunLease lease,
      GangSlots slots,
      DriverProgress progress)
      throws IOException, InterruptedException, TrainingFailedException {
    String runId = UUID.randomUUID().toString();
    try (DriverLink link = DriverLink.listen(SparkNetwork.of(SparkEnv.get()), runId, progress)) {
      RankOrder order = order(request, dataset, lease, new Channels(runId, link.address()));
      for (int launch = 0; ; launch++) {
        link.admit(launch);
        try {
          return launch(order, slots, launch, progress);
        } catch (GangException e) {
          requireSpark(e);
          requireHeld(lease, progress);
          requireAnother(progress, slots, e);
        }
        order = order.resumed();
        awaitRoom(slots);
      }
    }
  }

  /**
   * A file system that cannot be asked now may be what ended the attempt; the ranks of the next one
   * ask before they write.
   */
  private static void requireHeld(RunLease lease, DriverProgress progress)
      throws RunInUseException {
    try {
      lease.requireHeld();
    } catch (RunInUseException taken) {
      throw taken;
    } catch (IOException unreachable) {
      progress.message("cannot ask whether the run is still this one's: " + unreachable);
    }
  }

  /** What there was room for at first is no bad input. */
  private static void awaitRoom(GangSlots slots)
      throws InterruptedException, TrainingFailedException {
    try {
      slots.await();
    } catch (IllegalArgumentException e) {
      throw new TrainingFailedException(
          e.getMessage()
              + ". What was trained up to the newest checkpoint is kept: the same command goes on"
              + " from there, on any number of ranks",
          e);
    }
  }

  private RunSummary launch(RankOrder order, GangSlots slots, int launch, DriverProgress progress)
      throws GangException, IOException, InterruptedException {
    // More executors may have come by now than there are micro-batches.
    int ranks = Math.min(slots.ranks(), order.configuration().training().microBatches());
    TrainingRank rank = new TrainingRank(order, context.hadoopConfiguration());
    Gang gang = new Gang(context, slots, ranks, hosts(order, ranks, progress));
    progress.of(gang);
    byte[] answer = gang.run(rank, launch);
    return Json.read(answer, RunSummary.class);
  }

  /** None where they cannot be asked for: ranks read from afar then. */
  private List<String> hosts(RankOrder order, int ranks, DriverProgress progress) {
    try {
      return BlockHosts.ofFolder(context.hadoopConfiguration(), order.dataset()).most(ranks);
    } catch (IOException unreachable) {
      progress.message("cannot ask which hosts hold the dataset: " + unreachable);
      return List.of();
    }
  }

  private RankOrder order(
      TrainingRequest request, String dataset, RunLease lease, Channels channels)
      throws IOException {
    return new RankOrder(
        request.configuration(),
        dataset,
        DatasetPreparation.qualified(context.hadoopConfiguration(), request.output()),
        request.device(),
        request.resume(),
        new RankOrder.Writer(lease.token(), RunLease.beatInterval(writerLimit())),
        channels);
  }

  private void requireSpark(GangException ending) throws TrainingFailedException {
    if (context.sc().isStopped()) {
      throw new TrainingFailedException("Spark has stopped: " + ending.getMessage(), ending);
    }
  }

  private static void requireAnother(DriverProgress progress, GangSlots slots, GangException ending)
      throws TrainingFailedException {
    if (ending.refused() && slots.ranks() < slots.mostRanks()) {
      throw new TrainingFailedException(fewer(slots, ending), ending);
    }
    if (ending.refused()) {
      throw new IllegalArgumentException(ending.getMessage(), ending);
    }
    if (ending.lasting()) {
      throw new TrainingFailedException(ending.getMessage(), ending);
    }
    if (!progress.restart(ending.getMessage())) {
      throw new TrainingFailedException(
          ending.getMessage()
              + "; no restart is left. What was trained up to the newest checkpoint is kept: the same"
              + " command goes on from there",
          ending);
    }
  }

  /** What was good for more ranks is no bad input. */
  private static String fewer(GangSlots slots, GangException ending) {
    return ("with room for %d of %d ranks it cannot go on: %s. What was trained up to the newest checkpoint is kept:"
            + " bring executors back and give the same command again, with --ranks %d to wait for them")
        .formatted(slots.ranks(), slots.mostRanks(), ending.getMessage(), slots.mostRanks());
  }
}
