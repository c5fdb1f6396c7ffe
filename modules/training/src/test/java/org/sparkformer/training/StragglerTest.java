package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.tensor.ops.EmbeddingBackward;
import org.sparkformer.tensor.ops.Operation;
import org.sparkformer.tensor.reference.JavaBackend;

class StragglerTest {
  private static final int SLOW = 1;
  private static final int PASSES = 2;
  private static final long MILLISECONDS = 300;

  @TempDir Path folder;

  @Test
  void aSlowRankShowsInTheMetricsThoughAllRanksWaitForIt() throws Exception {
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
              TinyRun.configuration(
                  TinyRun.training().steps(3).evalInterval(0).logInterval(1).build(), 0),
              dataset,
              RunFolder.of(new Configuration(false), folder.resolve("run").toUri().toString()),
              true);
      TinyRun.train(run, 3, listener, rank -> rank == SLOW ? new Slow() : new JavaBackend(1));
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
}
