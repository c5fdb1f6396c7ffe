package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.sparkformer.collective.CollectiveException;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.tensor.ops.EmbeddingBackward;
import org.sparkformer.tensor.ops.Operation;
import org.sparkformer.tensor.reference.JavaBackend;
import org.sparkformer.training.configuration.TrainingConfiguration;

class StuckStepTest extends TinyRuns {
  private static final Duration LONGEST = Duration.ofSeconds(50);

  /** Enough for a step of whoever is not stuck on a busy machine. */
  private static final int STEP_TIMEOUT_SECONDS = 5;

  private final CountDownLatch released = new CountDownLatch(1);

  @Override
  TokenDataset dataset(Path data) throws IOException {
    return TinyDataset.open(data, 100, 0);
  }

  @AfterEach
  void release() {
    released.countDown();
  }

  /** As in a kernel that does not end: nothing wakes the thread that waits for it. */
  @Test
  void aRankThatIsStuckInAKernelEndsTheStepAndIsNamedWithWhatItDid() {
    String message =
        assertTimeoutPreemptively(
            LONGEST,
            () ->
                assertThrows(
                        CollectiveException.class,
                        () -> train(3, 1, this::waitForever, TrainingListener.NONE))
                    .getMessage());
    // Whoever notices first: the rank itself, or one that waits for it.
    assertTrue(
        message.contains("rank 1: has not moved for ")
            || message.contains("no frame for 5.0 s; not heard from: rank 1"),
        message);
    assertTrue(
        message.matches(
            ".*last known: rank 0: step 3, .* for .*; rank 1: step 3, forward and backward of micro-batch 3 for .*; rank 2: step 3, .*"),
        message);
    assertTrue(message.contains("reduce-scatter"), message);
  }

  @Test
  void aRankThatIsAloneIsWokenAndSaysWhereItWasStuck() {
    List<String> reports = new CopyOnWriteArrayList<>();
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void onStuck(String report) {
            reports.add(report);
          }
        };
    String message =
        assertTimeoutPreemptively(
            LONGEST,
            () ->
                assertThrows(
                        StuckStepException.class,
                        () -> train(1, 0, StuckStepTest::waitUntilWoken, listener))
                    .getMessage());
    assertTrue(
        message.matches(
            "rank 0: has not moved for .* s; last known: rank 0: step 1, forward and backward of micro-batch 5 for .*; raise training.step_timeout .*"),
        message);
    assertEquals(1, reports.size());
    assertTrue(message.startsWith(reports.get(0)), reports.toString());
  }

  private void waitForever(CountDownLatch latch) {
    while (latch.getCount() > 0) {
      try {
        latch.await();
      } catch (InterruptedException unheard) {
        // What is played here is a native call, which hears no interrupt: it goes on waiting.
        continue;
      }
    }
  }

  private static void waitUntilWoken(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException woken) {
      throw new IllegalStateException("woken", woken);
    }
  }

  private void train(int ranks, int stuck, Consumer<CountDownLatch> wait, TrainingListener listener)
      throws Exception {
    TrainingConfiguration training =
        TinyRun.training().evalInterval(0).stepTimeout(STEP_TIMEOUT_SECONDS).build();
    TrainingRun run = run("run", TinyRun.configuration(training, 0));
    TinyRun.train(run, ranks, listener, rank -> new Stuck(rank == stuck, wait));
  }

  /** Does not come back from its sixth pass. */
  private final class Stuck extends ForwardingBackend {
    private static final int PASS = 6;

    private final boolean stuck;
    private final Consumer<CountDownLatch> wait;
    private int passes;

    Stuck(boolean stuck, Consumer<CountDownLatch> wait) {
      super(new JavaBackend(1));
      this.stuck = stuck;
      this.wait = wait;
    }

    @Override
    public void run(Operation operation) {
      if (operation instanceof EmbeddingBackward && ++passes == PASS && stuck) {
        wait.accept(released);
      }
      super.run(operation);
    }
  }
}
