package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.models.GptConfiguration;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.EmbeddingBackward;
import org.sparkformer.tensor.ops.EmbeddingForward;
import org.sparkformer.tensor.ops.Operation;
import org.sparkformer.tensor.reference.JavaBackend;
import org.sparkformer.training.configuration.DataConfiguration;
import org.sparkformer.training.configuration.RunConfiguration;

class StragglerTest {
  private static final int SLOW = 1;
  private static final int PASSES = 2;

  /** Longer than a busy machine lets a thread wait. */
  private static final long LEAST_MILLISECONDS = 1000;

  /** Steps in which no rank is slow; the first of them compiles. */
  private static final int QUIET_STEPS = 4;

  private static final int STEPS = 8;

  @TempDir Path folder;
  private final List<StepMetrics> told = new CopyOnWriteArrayList<>();

  /** Of a pass on the slow rank; 0 while none is slow. */
  private final AtomicLong milliseconds = new AtomicLong();

  @Test
  void aSlowRankShowsInTheMetricsThoughAllRanksWaitForIt() throws Exception {
    List<StepMetrics> slowed = assertTheSlowRankShows(2, Slow::new);
    // And what the others wait for are gradients.
    for (StepMetrics step : slowed) {
      assertTrue(2 * step.reduceExposedMs() > step.allreduceExposedMs(), step.toString());
    }
  }

  /** Its gradients are in more buckets than there is room for until it has computed them. */
  @Test
  void aSlowDeviceShowsThoughItsHostIsAheadOfIt() throws Exception {
    assertTheSlowRankShows(4, SlowDevice::new);
  }

  private List<StepMetrics> assertTheSlowRankShows(int layers, Supplier<Backend> slow)
      throws Exception {
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void onStep(StepMetrics metrics) {
            told.add(metrics);
            if (metrics.step() == QUIET_STEPS) {
              milliseconds.set(far(told.subList(1, QUIET_STEPS)));
            }
          }
        };
    try (TokenDataset dataset =
        TinyDataset.open(Files.createDirectory(folder.resolve("data")), 100, 0)) {
      TrainingRun run =
          new TrainingRun(
              new RunConfiguration(
                  "stragglers",
                  GptConfiguration.of(layers, 2, 8, 7, TinyDataset.VOCABULARY),
                  DataConfiguration.ofDataset("unused"),
                  TinyRun.training().steps(STEPS).evalInterval(0).logInterval(1).build()),
              dataset,
              RunFolder.of(new Configuration(false), folder.resolve("run").toUri().toString()),
              true);
      TinyRun.train(run, 3, listener, rank -> rank == SLOW ? slow.get() : new JavaBackend(1));
    }
    assertEquals(STEPS, told.size());
    // The step in between may have begun before all knew.
    List<StepMetrics> slowed = told.subList(QUIET_STEPS + 1, STEPS);
    for (StepMetrics step : slowed) {
      List<Double> ranks = step.rankStepMs();
      String all = ranks + " of " + milliseconds;
      assertEquals(3, ranks.size());
      assertTrue(ranks.get(SLOW) >= PASSES * milliseconds.get(), all);
      // Who waits for it is not taken for slow, not even by half.
      assertTrue(ranks.get(0) < milliseconds.get() && ranks.get(2) < milliseconds.get(), all);
    }
    return slowed;
  }

  /** Ten times what any rank's own work took in a step. */
  private static long far(List<StepMetrics> quiet) {
    double slowest =
        quiet.stream()
            .flatMap(step -> step.rankStepMs().stream())
            .mapToDouble(Double::doubleValue)
            .max()
            .orElseThrow();
    return Math.max(LEAST_MILLISECONDS, Math.round(10 * slowest));
  }

  /** Sleeps in each backward pass. */
  private final class Slow extends ForwardingBackend {
    Slow() {
      super(new JavaBackend(1));
    }

    @Override
    public void run(Operation operation) {
      if (operation instanceof EmbeddingBackward) {
        try {
          Thread.sleep(milliseconds.get());
        } catch (InterruptedException interrupted) {
          Thread.currentThread().interrupt();
        }
      }
      super.run(operation);
    }
  }

  /** Takes its time for each pass, while the host goes on. */
  private final class SlowDevice extends ForwardingBackend {
    private long computedAt = System.nanoTime();

    SlowDevice() {
      super(new JavaBackend(1));
    }

    @Override
    public void run(Operation operation) {
      if (operation instanceof EmbeddingForward) {
        computedAt =
            Math.max(System.nanoTime(), computedAt)
                + TimeUnit.MILLISECONDS.toNanos(milliseconds.get());
      }
      super.run(operation);
    }

    @Override
    public Pending startRead(Tensor source, ByteBuffer destination) {
      read(source, destination);
      return new Computed(computedAt);
    }

    @Override
    public Mark mark() {
      return new Computed(computedAt);
    }

    @Override
    public void finish() {
      mark().await();
    }
  }

  /** The moment when a device has computed what it was given. */
  private record Computed(long nanos) implements Backend.Mark {
    @Override
    public boolean isReached() {
      return System.nanoTime() >= nanos;
    }

    @Override
    public void await() {
      try {
        TimeUnit.NANOSECONDS.sleep(nanos - System.nanoTime());
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
      }
    }

    @Override
    public double millisecondsSince(Backend.Mark earlier) {
      return (nanos - ((Computed) earlier).nanos) / 1e6;
    }
  }
}
