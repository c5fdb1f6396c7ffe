package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
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
  private static final long MILLISECONDS = 300;

  @TempDir Path folder;

  @Test
  void aSlowRankShowsInTheMetricsThoughAllRanksWaitForIt() throws Exception {
    assertTheSlowRankShows(2, Slow::new);
  }

  /** Its gradients are in more buckets than there is room for until it has computed them. */
  @Test
  void aSlowDeviceShowsThoughItsHostIsAheadOfIt() throws Exception {
    assertTheSlowRankShows(4, SlowDevice::new);
  }

  private void assertTheSlowRankShows(int layers, Supplier<Backend> slow) throws Exception {
    List<StepMetrics> steps = new CopyOnWriteArrayList<>();
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void onStep(StepMetrics metrics) {
            steps.add(metrics);
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
                  TinyRun.training().steps(3).evalInterval(0).logInterval(1).build()),
              dataset,
              RunFolder.of(new Configuration(false), folder.resolve("run").toUri().toString()),
              true);
      TinyRun.train(run, 3, listener, rank -> rank == SLOW ? slow.get() : new JavaBackend(1));
    }
    assertEquals(3, steps.size());
    for (StepMetrics step : steps) {
      List<Double> ranks = step.rankStepMs();
      assertEquals(3, ranks.size());
      assertTrue(ranks.get(SLOW) >= PASSES * MILLISECONDS, ranks.toString());
      // Who waits for it is not taken for slow, not even by half.
      assertTrue(ranks.get(0) < MILLISECONDS && ranks.get(2) < MILLISECONDS, ranks.toString());
    }
  }

  /** Sleeps in each backward pass. */
  private static final class Slow extends ForwardingBackend {
    Slow() {
      super(new JavaBackend(1));
    }

    @Override
    public void run(Operation operation) {
      if (operation instanceof EmbeddingBackward) {
        try {
          Thread.sleep(MILLISECONDS);
        } catch (InterruptedException interrupted) {
          Thread.currentThread().interrupt();
        }
      }
      super.run(operation);
    }
  }

  /** Takes its time for each pass, while the host goes on. */
  private static final class SlowDevice extends ForwardingBackend {
    private long computedAt = System.nanoTime();

    SlowDevice() {
      super(new JavaBackend(1));
    }

    @Override
    public void run(Operation operation) {
      if (operation instanceof EmbeddingForward) {
        computedAt =
            Math.max(System.nanoTime(), computedAt) + TimeUnit.MILLISECONDS.toNanos(MILLISECONDS);
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
