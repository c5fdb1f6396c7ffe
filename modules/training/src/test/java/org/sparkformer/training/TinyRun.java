package org.sparkformer.training;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;
import java.util.function.UnaryOperator;
import org.sparkformer.collective.Collective;
import org.sparkformer.collective.CollectiveOptions;
import org.sparkformer.collective.InProcessTransport;
import org.sparkformer.collective.SummationTree;
import org.sparkformer.collective.Transport;
import org.sparkformer.collective.TreeCollective;
import org.sparkformer.models.GptConfiguration;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.reference.JavaBackend;
import org.sparkformer.training.configuration.DataConfiguration;
import org.sparkformer.training.configuration.RunConfiguration;
import org.sparkformer.training.configuration.TrainingConfiguration;
import org.sparkformer.training.configuration.TrainingConfigurationBuilder;

/** Tiny models trained by ranks that are threads of this process. */
final class TinyRun {
  /** So small that tiny models have several buckets. */
  static final Buckets.Sizes SIZES = new Buckets.Sizes(Slice.BLOCK, 2 * Slice.BLOCK);

  private static final AtomicInteger RUNS = new AtomicInteger();

  /** For a rank to end with another that has failed. */
  private static final int UNWINDING_SECONDS = 5;

  private TinyRun() {}

  /** Six micro-batches of one sequence a step. */
  static TrainingConfigurationBuilder training() {
    return TrainingConfiguration.DEFAULTS.toBuilder()
        .steps(6)
        .batchSize(6)
        .microBatchSize(1)
        .learningRate(1e-2)
        .minLearningRate(1e-3)
        .warmupSteps(2)
        .evalInterval(3)
        .evalBatches(2)
        .checkpointInterval(0)
        .logInterval(2)
        .stepTimeout(60);
  }

  static RunConfiguration configuration(TrainingConfiguration training, double dropout) {
    GptConfiguration model =
        new GptConfiguration(2, 2, 8, 7, TinyDataset.VOCABULARY, dropout, false);
    return new RunConfiguration("tiny", model, DataConfiguration.ofDataset("unused"), training);
  }

  /** Trains on so many ranks, each on one Java thread; all ranks' summaries. */
  static List<RunSummary> train(TrainingRun run, int ranks, TrainingListener listener)
      throws Exception {
    return train(run, ranks, listener, rank -> new JavaBackend(1));
  }

  static List<RunSummary> train(
      TrainingRun run, int ranks, TrainingListener listener, IntFunction<Backend> backends)
      throws Exception {
    return train(run, ranks, listener, backends, SIZES);
  }

  /**
   * @param sizes of what is exchanged at once; where they are tiny, ranks own rather different
   *     numbers of elements
   */
  static List<RunSummary> train(
      TrainingRun run,
      int ranks,
      TrainingListener listener,
      IntFunction<Backend> backends,
      Buckets.Sizes sizes)
      throws Exception {
    return gather(
        run,
        ranks,
        transport -> transport,
        collective -> trainRank(run, collective, listener, backends, sizes));
  }

  /**
   * @param transports what each rank's real transport is used through
   */
  static List<RunSummary> train(
      TrainingRun run,
      int ranks,
      TrainingListener listener,
      IntFunction<Backend> backends,
      UnaryOperator<Transport> transports)
      throws Exception {
    return gather(
        run,
        ranks,
        transports,
        collective -> trainRank(run, collective, listener, backends, SIZES));
  }

  /**
   * @param collectives what each rank's real collective is used through
   */
  static List<RunSummary> trainThrough(
      TrainingRun run,
      int ranks,
      IntFunction<Backend> backends,
      UnaryOperator<Collective> collectives)
      throws Exception {
    return gather(
        run,
        ranks,
        transport -> transport,
        collective ->
            trainRank(run, collectives.apply(collective), TrainingListener.NONE, backends, SIZES));
  }

  private static RunSummary trainRank(
      TrainingRun run,
      Collective collective,
      TrainingListener listener,
      IntFunction<Backend> backends,
      Buckets.Sizes sizes)
      throws IOException, InterruptedException {
    try (Backend backend = backends.apply(collective.rank())) {
      return new RankTrainer(run, new Rank(backend, collective, sizes), listener).train();
    }
  }

  private interface RankThread {
    RunSummary train(Collective collective) throws IOException, InterruptedException;
  }

  private static List<RunSummary> gather(
      TrainingRun run, int ranks, UnaryOperator<Transport> transports, RankThread thread)
      throws Exception {
    String id = "tiny-run-" + RUNS.incrementAndGet();
    SummationTree tree = new SummationTree(run.configuration().training().microBatches());
    Duration timeout = Duration.ofSeconds(run.configuration().training().stepTimeout());
    CollectiveOptions options = CollectiveOptions.of(id, 0, timeout);
    ExecutorService threads = Executors.newFixedThreadPool(ranks);
    try {
      List<Future<RunSummary>> futures = new ArrayList<>();
      for (InProcessTransport transport : InProcessTransport.group(id, 0, ranks)) {
        Callable<RunSummary> rank =
            () -> {
              try (Collective collective =
                  new TreeCollective(tree, transports.apply(transport), options)) {
                return thread.train(collective);
              }
            };
        futures.add(threads.submit(rank));
      }
      return results(futures);
    } finally {
      threads.shutdownNow();
    }
  }

  private static List<RunSummary> results(List<Future<RunSummary>> futures) throws Exception {
    List<RunSummary> summaries = new ArrayList<>();
    for (Future<RunSummary> future : futures) {
      try {
        summaries.add(future.get());
      } catch (ExecutionException failed) {
        Exception first = causeOf(failed);
        futures.stream().filter(other -> other != future).forEach(other -> suppress(other, first));
        throw first;
      }
    }
    return summaries;
  }

  private static Exception causeOf(ExecutionException failed) {
    return failed.getCause() instanceof Exception cause ? cause : failed;
  }

  /** Adds how another rank failed, unless it is stuck. */
  private static void suppress(Future<RunSummary> other, Exception first) {
    try {
      other.get(UNWINDING_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException failed) {
      Exception cause = causeOf(failed);
      if (cause != first) {
        first.addSuppressed(cause);
      }
    } catch (TimeoutException stuck) {
      // It has nothing to tell.
      return;
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
