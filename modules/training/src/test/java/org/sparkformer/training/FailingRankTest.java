package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.IntFunction;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkformer.collective.CollectiveException;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.ops.AdamW;
import org.sparkformer.tensor.ops.EmbeddingBackward;
import org.sparkformer.tensor.ops.Fill;
import org.sparkformer.tensor.ops.Operation;
import org.sparkformer.tensor.reference.JavaBackend;
import org.sparkformer.training.configuration.TrainingConfiguration;

class FailingRankTest extends TinyRuns {
  private static final int MICRO_BATCHES = 6;
  private static final TrainingConfiguration TRAINING =
      TinyRun.training()
          .batchSize(MICRO_BATCHES)
          .steps(8)
          .checkpointInterval(2)
          .evalInterval(0)
          .logInterval(1)
          .build();

  @Override
  TokenDataset dataset(Path data) throws IOException {
    return TinyDataset.open(data, 100, 0);
  }

  @ParameterizedTest
  @CsvSource({"1, 3, NaN", "3, 2, NaN", "1, 3, Infinity", "3, 2, -Infinity"})
  void aGradientThatIsNotFiniteOnOneRankStopsTheUpdateOnAll(int stage, int ranks, float value)
      throws Exception {
    for (int poisoned = 0; poisoned < ranks; poisoned++) {
      String name = "poisoned-" + poisoned;
      int rank = poisoned;
      IntFunction<Failing> poison =
          failing(rank, ranks, (failing, at) -> failing.poison(at, value));
      List<Failing> backends = new CopyOnWriteArrayList<>();
      NonFiniteGradientException divergence =
          assertThrows(
              NonFiniteGradientException.class,
              () ->
                  train(
                      name,
                      stage,
                      ranks,
                      other -> {
                        Failing backend = poison.apply(other);
                        backends.add(backend);
                        return backend;
                      }));
      assertEquals(5, divergence.step());
      assertEquals(List.of(2, 4), new CheckpointStore(output(name), 2).steps());
      // A model so small leaves a rank without weights to update.
      List<Failing> updating = backends.stream().filter(backend -> backend.lastUpdate > 0).toList();
      assertFalse(updating.isEmpty());
      for (Failing backend : updating) {
        assertEquals(Set.of(1, 2, 3, 4), backend.stepsThatMovedWeights);
        assertEquals(5, backend.lastUpdate);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 3", "3, 2"})
  void aRankThatFailsInTheMiddleOfABackwardPassTakesTheOthersAlongAtOnce(int stage, int ranks) {
    for (int failing = 0; failing < ranks; failing++) {
      String name = "failing-" + failing;
      int rank = failing;
      RuntimeException failure =
          assertTimeoutPreemptively(
              Duration.ofSeconds(50),
              () ->
                  assertThrows(
                      RuntimeException.class,
                      () -> train(name, stage, ranks, failing(rank, ranks, Failing::fail))));
      Class<?> expected = rank == 0 ? IllegalStateException.class : CollectiveException.class;
      assertTrue(expected.isInstance(failure), failure.toString());
    }
  }

  private void train(String name, int stage, int ranks, IntFunction<? extends Backend> backends)
      throws Exception {
    TrainingConfiguration training = TRAINING.toBuilder().zeroStage(stage).build();
    TrainingRun run = run(name, TinyRun.configuration(training, 0));
    TinyRun.train(run, ranks, TrainingListener.NONE, backends::apply);
  }

  /** One rank fails in the first backward pass of its fifth step. */
  private static IntFunction<Failing> failing(
      int failing, int ranks, Failing.Interference interference) {
    int pass = 4 * MICRO_BATCHES / ranks + 1;
    return rank -> new Failing(rank == failing ? pass : 0, interference);
  }

  /** Interferes with one backward pass. */
  private static final class Failing extends ForwardingBackend {
    private final int failsAtPass;
    private final Interference interference;
    private final Set<Integer> stepsThatMovedWeights = new TreeSet<>();
    private int lastUpdate;
    private int passes;

    interface Interference {
      void happen(Failing backend, EmbeddingBackward operation);
    }

    /**
     * @param failsAtPass counted from 1; 0 for never
     */
    Failing(int failsAtPass, Interference interference) {
      super(new JavaBackend(1));
      this.failsAtPass = failsAtPass;
      this.interference = interference;
    }

    @Override
    public void run(Operation operation) {
      if (operation instanceof AdamW update) {
        lastUpdate = update.settings().step();
        float[] before = readFloats(update.parameters());
        super.run(operation);
        if (!Arrays.equals(before, readFloats(update.parameters()))) {
          stepsThatMovedWeights.add(lastUpdate);
        }
        return;
      }
      super.run(operation);
      if (operation instanceof EmbeddingBackward embedding && ++passes == failsAtPass) {
        interference.happen(this, embedding);
      }
    }

    void poison(EmbeddingBackward operation, float value) {
      super.run(new Fill(operation.dPositionWeight().view(3, 1), value));
    }

    void fail(EmbeddingBackward operation) {
      throw new IllegalStateException("rank failed");
    }
  }
}
