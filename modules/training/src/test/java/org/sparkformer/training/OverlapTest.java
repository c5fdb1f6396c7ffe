package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.collective.ForwardingTransport;
import org.sparkformer.collective.Transport;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.tensor.ops.EmbeddingBackward;
import org.sparkformer.tensor.ops.Operation;
import org.sparkformer.tensor.ops.SoftmaxCrossEntropy;
import org.sparkformer.tensor.reference.JavaBackend;
import org.sparkformer.training.configuration.RunConfiguration;

class OverlapTest {
  private static final int PATIENCE_SECONDS = 60;

  @TempDir Path folder;

  /** A latch a rank: opened by the first frame that the rank sends after a forward pass. */
  private final ConcurrentHashMap<Integer, CountDownLatch> sent = new ConcurrentHashMap<>();

  private final AtomicInteger passes = new AtomicInteger();

  @Test
  void gradientsLeaveBeforeTheBackwardPassIsOver() throws Exception {
    train(true);
  }

  @Test
  void withoutOverlapGradientsLeaveWhenTheBackwardPassIsOver() throws Exception {
    assertEquals(train(true), train(false));
  }

  /** The digest of the weights. */
  private String train(boolean overlap) throws Exception {
    passes.set(0);
    RunConfiguration configuration =
        TinyRun.configuration(
            TinyRun.training().batchSize(2).evalInterval(0).overlap(overlap).build(), 0);
    Path data = Files.createTempDirectory(folder, "data");
    try (TokenDataset dataset = TinyDataset.open(data, 100, 0)) {
      Path output = Files.createTempDirectory(folder, "run");
      RunFolder run = RunFolder.of(new Configuration(false), output.toUri().toString());
      List<RunSummary> summaries =
          TinyRun.train(
              new TrainingRun(configuration, dataset, run, true),
              2,
              TrainingListener.NONE,
              rank -> new HoldingBackend(rank, overlap),
              WatchedTransport::new);
      assertEquals(2 * configuration.training().steps(), passes.get());
      return summaries.get(1).weightsSha256();
    }
  }

  /** Looks, before the backward pass ends, whether a frame of it has been sent. */
  private final class HoldingBackend extends ForwardingBackend {
    private final int rank;
    private final boolean overlap;

    HoldingBackend(int rank, boolean overlap) {
      super(new JavaBackend(1));
      this.rank = rank;
      this.overlap = overlap;
    }

    @Override
    public void run(Operation operation) {
      if (operation instanceof SoftmaxCrossEntropy) {
        sent.put(rank, new CountDownLatch(1));
      }
      if (operation instanceof EmbeddingBackward) {
        if (overlap) {
          awaitFrame();
        } else {
          assertEquals(1, sent.get(rank).getCount(), "a gradient left rank " + rank + " early");
        }
        passes.incrementAndGet();
      }
      super.run(operation);
    }

    private void awaitFrame() {
      try {
        assertTrue(
            sent.get(rank).await(PATIENCE_SECONDS, TimeUnit.SECONDS),
            "no gradient left rank " + rank + " while its backward pass ran");
      } catch (InterruptedException interrupted) {
        throw new AssertionError(interrupted);
      }
    }
  }

  /** Heeds frames with values; those that tell what a rank is doing are smaller. */
  private final class WatchedTransport extends ForwardingTransport {
    WatchedTransport(Transport transport) {
      super(transport);
    }

    @Override
    public void send(int peer, ByteBuffer frame, Runnable released) {
      CountDownLatch latch = sent.get(rank());
      // What carries gradients; smaller frames only say what the rank is doing.
      if (latch != null && frame.remaining() > Slice.BLOCK * Float.BYTES) {
        latch.countDown();
      }
      super.send(peer, frame, released);
    }
  }
}
