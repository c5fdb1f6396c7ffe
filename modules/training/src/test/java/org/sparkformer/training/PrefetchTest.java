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
import org.sparkformer.models.Gpt;
import org.sparkformer.models.GptConfiguration;
import org.sparkformer.tensor.ops.AttentionBackward;
import org.sparkformer.tensor.ops.AttentionForward;
import org.sparkformer.tensor.ops.Operation;
import org.sparkformer.tensor.reference.JavaBackend;
import org.sparkformer.training.configuration.DataConfiguration;
import org.sparkformer.training.configuration.RunConfiguration;

/** Under full sharding the ranks gather a block's weights while they compute the one before. */
class PrefetchTest {
  private static final int RANKS = 2;
  private static final int LAYERS = 4;
  private static final int PATIENCE_SECONDS = 20;
  private static final GptConfiguration MODEL =
      new GptConfiguration(LAYERS, 2, 24, 7, TinyDataset.VOCABULARY, 0, false);
  private static final Units UNITS = Units.of(Gpt.layout(MODEL), RANKS, TinyRun.SIZES);

  @TempDir Path folder;

  /** By rank, a permit for each all-gather of a vector that it has begun. */
  private final List<Semaphore> begun =
      Stream.generate(() -> new Semaphore(0)).limit(RANKS).toList();

  private final AtomicInteger passed = new AtomicInteger();

  @Test
  void theNextBlocksWeightsAreOnTheirWayBeforeABlockIsOver() throws Exception {
    RunConfiguration configuration =
        new RunConfiguration(
            "tiny",
            MODEL,
            DataConfiguration.ofDataset("unused"),
            TinyRun.training().steps(1).batchSize(RANKS).evalInterval(0).zeroStage(3).build());
    try (TokenDataset dataset =
        TinyDataset.open(Files.createDirectory(folder.resolve("data")), 100, 0)) {
      RunFolder output =
          RunFolder.of(new Configuration(false), folder.resolve("run").toUri().toString());
      TrainingRun run = new TrainingRun(configuration, dataset, output, true);
      TinyRun.trainThrough(run, RANKS, HoldingBackend::new, this::watched);
    }
    assertEquals(RANKS * 2 * LAYERS, passed.get());
  }

  private Collective watched(Collective collective) {
    GatherHook hook = begun.get(collective.rank())::release;
    return hook.on(collective);
  }

  /** Does not end a block, forward or backward, before the gathering of the next has begun. */
  private final class HoldingBackend extends ForwardingBackend {
    private final int rank;
    private int forward;
    private int backward = LAYERS;

    HoldingBackend(int rank) {
      super(new JavaBackend(1));
      this.rank = rank;
    }

    @Override
    public void run(Operation operation) {
      if (operation instanceof AttentionForward) {
        int before = forward == 0 ? UNITS.shared().size() + buckets(0) : 0;
        awaitGathers(before + buckets(forward + 1), "forward of block " + forward);
        forward++;
      } else if (operation instanceof AttentionBackward) {
        backward--;
        awaitGathers(buckets(backward - 1), "backward of block " + backward);
      }
      super.run(operation);
    }

    private void awaitGathers(int count, String during) {
      try {
        assertTrue(
            begun.get(rank).tryAcquire(count, PATIENCE_SECONDS, TimeUnit.SECONDS),
            "rank %d: nothing of the next block is on its way in the %s".formatted(rank, during));
      } catch (InterruptedException interrupted) {
        throw new AssertionError(interrupted);
      }
      passed.incrementAndGet();
    }

    /** None outside of the model. */
    private int buckets(int layer) {
      return layer < 0 || layer >= LAYERS ? 0 : (int) UNITS.blocks().get(layer).buckets().count();
    }
  }
}
