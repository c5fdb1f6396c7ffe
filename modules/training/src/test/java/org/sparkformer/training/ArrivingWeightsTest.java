package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.collective.Collective;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.tensor.ops.AdamW;
import org.sparkformer.tensor.ops.EmbeddingForward;
import org.sparkformer.tensor.ops.Operation;
import org.sparkformer.tensor.reference.JavaBackend;
import org.sparkformer.training.configuration.RunConfiguration;

/** A forward pass begins while other ranks' weights are still on their way. */
class ArrivingWeightsTest {
  private static final int RANKS = 2;
  private static final int STEPS = 4;
  private static final int PATIENCE_SECONDS = 20;

  @TempDir Path folder;

  /** By rank: the step whose weights are exchanged, and how many buckets have been begun. */
  private final List<Exchange> exchanges = Stream.generate(Exchange::new).limit(RANKS).toList();

  private final AtomicInteger held = new AtomicInteger();

  private static final class Exchange {
    private final AtomicInteger step = new AtomicInteger();
    private final AtomicInteger buckets = new AtomicInteger();
    private final Semaphore forward = new Semaphore(0);
  }

  @Test
  void theNextForwardPassBeginsBeforeTheLastWeightsAreThere() throws Exception {
    String weights = train(true);
    // After the first step, which is logged, and the last, all weights are waited for.
    assertEquals(RANKS * (STEPS - 2), held.get());
    assertEquals(train(false), weights);
    assertEquals(RANKS * (STEPS - 2), held.get());
  }

  /** The digest of the weights. */
  private String train(boolean overlap) throws Exception {
    RunConfiguration configuration =
        TinyRun.configuration(
            TinyRun.training()
                .steps(STEPS)
                .batchSize(RANKS)
                .evalInterval(0)
                .logInterval(STEPS)
                .overlap(overlap)
                .build(),
            0);
    int buckets = Buckets.of(configuration.model().layout(), RANKS, TinyRun.SIZES).all().size();
    Path data = Files.createTempDirectory(folder, "data");
    try (TokenDataset dataset = TinyDataset.open(data, 100, 0)) {
      Path output = Files.createTempDirectory(folder, "run");
      RunFolder run = RunFolder.of(new Configuration(false), output.toUri().toString());
      return TinyRun.trainThrough(
              new TrainingRun(configuration, dataset, run, true),
              RANKS,
              WatchedBackend::new,
              collective -> overlap ? holding(collective, buckets) : collective)
          .get(0)
          .weightsSha256();
    }
  }

  /** Holds the last bucket of a step's weights until the next forward pass has begun. */
  private Collective holding(Collective collective, int buckets) {
    Exchange exchange = exchanges.get(collective.rank());
    GatherHook hook = () -> begin(exchange, buckets);
    return hook.on(collective);
  }

  private void begin(Exchange exchange, int buckets) throws InterruptedException {
    int step = exchange.step.get();
    if (step > 1 && step < STEPS && exchange.buckets.incrementAndGet() == buckets) {
      assertTrue(
          exchange.forward.tryAcquire(PATIENCE_SECONDS, TimeUnit.SECONDS),
          "no forward pass began before the weights of step " + step + " were there");
      held.incrementAndGet();
    }
  }

  private final class WatchedBackend extends ForwardingBackend {
    private final Exchange exchange;

    WatchedBackend(int rank) {
      super(new JavaBackend(1));
      this.exchange = exchanges.get(rank);
    }

    @Override
    public void run(Operation operation) {
      if (operation instanceof AdamW update
          && exchange.step.getAndSet(update.settings().step()) != update.settings().step()) {
        exchange.buckets.set(0);
        exchange.forward.drainPermits();
      } else if (operation instanceof EmbeddingForward) {
        exchange.forward.release();
      }
      super.run(operation);
    }
  }
}
