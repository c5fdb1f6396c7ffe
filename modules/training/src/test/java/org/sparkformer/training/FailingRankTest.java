package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.IntFunction;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.collective.CollectiveException;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.ops.EmbeddingBackward;
import org.sparkformer.tensor.ops.Fill;
import org.sparkformer.tensor.ops.Operation;
import org.sparkformer.tensor.reference.JavaBackend;
import org.sparkformer.training.configuration.TrainingConfiguration;

class FailingRankTest {
  /** Six micro-batches on three ranks: two backward passes a step on each. */
  private static final TrainingConfiguration TRAINING =
      TinyRun.training().steps(8).checkpointInterval(2).evalInterval(0).logInterval(1).build();

  private static final int FAILS_AT_PASS = 2 * 4 + 1;

  @TempDir Path folder;
  private TokenDataset dataset;

  @BeforeEach
  void buildDataset() throws Exception {
    dataset = TinyDataset.open(Files.createDirectory(folder.resolve("data")), 100, 0);
  }

  @AfterEach
  void close() throws Exception {
    dataset.close();
  }

  @Test
  void aGradientThatIsNotANumberOnOneRankStopsTheUpdateOnAll() throws Exception {
    for (int poisoned = 0; poisoned < 3; poisoned++) {
      String name = "poisoned-" + poisoned;
      int rank = poisoned;
      NonFiniteGradientException divergence =
          assertThrows(
              NonFiniteGradientException.class,
              () -> train(name, other -> new Failing(other == rank, Failing::poison)));
      assertEquals(5, divergence.step());
      assertEquals(List.of(2, 4), new CheckpointStore(output(name), 2).steps());
    }
  }

  @Test
  void aRankThatFailsInTheMiddleOfABackwardPassTakesTheOthersAlongAtOnce() {
    for (int failing = 0; failing < 3; failing++) {
      String name = "failing-" + failing;
      int rank = failing;
      RuntimeException failure =
          assertTimeoutPreemptively(
              Duration.ofSeconds(50),
              () ->
                  assertThrows(
                      RuntimeException.class,
                      () -> train(name, other -> new Failing(other == rank, Failing::fail))));
      Class<?> expected = rank == 0 ? IllegalStateException.class : CollectiveException.class;
      assertTrue(expected.isInstance(failure), failure.toString());
    }
  }

  private void train(String name, IntFunction<Backend> backends) throws Exception {
    TrainingRun run =
        new TrainingRun(TinyRun.configuration(TRAINING, 0), dataset, output(name), true);
    TinyRun.train(run, 3, TrainingListener.NONE, backends);
  }

  private RunFolder output(String name) throws Exception {
    return RunFolder.of(new Configuration(false), folder.resolve(name).toUri().toString());
  }

  /** Interferes with one backward pass. */
  private static final class Failing extends ForwardingBackend {
    private final boolean fails;
    private final Interference interference;
    private int passes;

    interface Interference {
      void happen(Failing backend, EmbeddingBackward operation);
    }

    Failing(boolean fails, Interference interference) {
      super(new JavaBackend(1));
      this.fails = fails;
      this.interference = interference;
    }

    @Override
    public void run(Operation operation) {
      super.run(operation);
      if (operation instanceof EmbeddingBackward embedding && ++passes == FAILS_AT_PASS && fails) {
        interference.happen(this, embedding);
      }
    }

    void poison(EmbeddingBackward operation) {
      super.run(new Fill(operation.dPositionWeight().view(3, 1), Float.NaN));
    }

    void fail(EmbeddingBackward operation) {
      throw new IllegalStateException("rank failed");
    }
  }
}
