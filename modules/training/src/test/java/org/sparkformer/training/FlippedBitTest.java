package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.EmbeddingBackward;
import org.sparkformer.tensor.ops.EmbeddingForward;
import org.sparkformer.tensor.ops.Operation;
import org.sparkformer.tensor.reference.JavaBackend;
import org.sparkformer.training.configuration.TrainingConfigurationBuilder;

class FlippedBitTest extends TinyRuns {
  private static final int STEP = 4;

  @Override
  TokenDataset dataset(Path data) throws IOException {
    return TinyDataset.open(data, 100, 0);
  }

  /** Lowest, highest and middle bits of weights that the rank updates itself, or another does. */
  @ParameterizedTest
  @CsvSource({"0, 0, 0", "1, 0, 31", "2, 0, 12", "1, 40, 0", "0, 87, 30"})
  void aFlippedBitOfAWeightNamesItsRank(int rank, int element, int bit) {
    String message =
        assertThrows(
                ReplicasDifferException.class,
                () -> train("run", 3, comparingEach(2), rank, flipsWeight(element, bit)))
            .getMessage();
    assertTrue(
        message.startsWith(
            "before the update of step 4 rank " + rank + " holds other weights than most: "),
        message);
  }

  @Test
  void ofTwoRanksBothAreTold() {
    String message =
        assertThrows(
                ReplicasDifferException.class,
                () -> train("run", 2, comparingEach(2), 1, flipsWeight(3, 7)))
            .getMessage();
    assertTrue(message.contains("no majority tells which are right"), message);
    assertTrue(message.matches(".*digests by rank: \\[[0-9a-f]{16}, [0-9a-f]{16}\\]"), message);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void comparingChangesNoWeight(int ranks) throws Exception {
    String compared =
        train("some", ranks, comparingEach(1).gradientCheckInterval(2), -1, flipsWeight(0, 0));
    assertEquals(train("none", ranks, comparingEach(0), -1, flipsWeight(0, 0)), compared);
  }

  /** It goes into the one sum that all ranks get: no replica differs from another. */
  @Test
  void aFlippedBitOfAGradientGoesToAllRanksAlikeAndIsNoDifferenceBetweenThem() throws Exception {
    String sound = train("sound", 3, comparingEach(1), -1, flipsGradient(0, 0, 29));
    String flipped = train("flipped", 3, comparingEach(1), 1, flipsGradient(0, 0, 29));
    assertNotEquals(sound, flipped);
  }

  /** In a micro-batch of the first computation or the second, which comes {@code later}. */
  @ParameterizedTest
  @CsvSource({
    "3, 0, 0, 0, 0",
    "3, 2, 1, 5, 31",
    "3, 1, 2, 40, 12",
    "2, 1, 5, 3, 30",
    "1, 0, 11, 0, 0"
  })
  void computedTwiceItIsFoundByItsRank(int ranks, int rank, int later, int element, int bit) {
    TrainingConfigurationBuilder checking = comparingEach(0).gradientCheckInterval(STEP);
    Exception failed =
        assertThrows(
            Exception.class,
            () -> train("run", ranks, checking, rank, flipsGradient(later, element, bit)));
    List<String> told =
        Stream.concat(Stream.of(failed), Stream.of(failed.getSuppressed()))
            .filter(GradientsDifferException.class::isInstance)
            .map(Throwable::getMessage)
            .toList();
    assertEquals(1, told.size(), failed.toString());
    assertTrue(told.get(0).startsWith("the gradients of step 4, computed twice"), told.get(0));
  }

  private static BiConsumer<Flipping, Operation> flipsWeight(int element, int bit) {
    return (backend, operation) -> {
      if (operation instanceof EmbeddingForward embedding && ++backend.passes == backend.pass) {
        backend.flip(embedding.tokenWeight(), element, bit);
      }
    };
  }

  private static BiConsumer<Flipping, Operation> flipsGradient(int later, int element, int bit) {
    return (backend, operation) -> {
      if (operation instanceof EmbeddingBackward embedding
          && ++backend.passes == backend.pass + later) {
        backend.flip(embedding.dPositionWeight(), element, bit);
      }
    };
  }

  private static TrainingConfigurationBuilder comparingEach(int steps) {
    return TinyRun.training().evalInterval(0).digestInterval(steps);
  }

  private String train(
      String name,
      int ranks,
      TrainingConfigurationBuilder training,
      int flipping,
      BiConsumer<Flipping, Operation> flip)
      throws Exception {
    List<RunSummary> summaries =
        TinyRun.train(
            run(name, TinyRun.configuration(training.build(), 0)),
            ranks,
            TrainingListener.NONE,
            rank -> rank == flipping ? new Flipping(ranks, flip) : new JavaBackend(1));
    return summaries.get(0).weightsSha256();
  }

  private static final class Flipping extends ForwardingBackend {
    private final BiConsumer<Flipping, Operation> flip;

    /** The first in a step of six micro-batches. */
    private final int pass;

    private int passes;

    Flipping(int ranks, BiConsumer<Flipping, Operation> flip) {
      super(new JavaBackend(1));
      this.pass = 6 / ranks * (STEP - 1) + 1;
      this.flip = flip;
    }

    @Override
    public void run(Operation operation) {
      super.run(operation);
      flip.accept(this, operation);
    }

    void flip(Tensor tensor, int element, int bit) {
      Tensor one = tensor.view(element, 1);
      int bits = Float.floatToRawIntBits(readFloats(one)[0]) ^ 1 << bit;
      write(one, new float[] {Float.intBitsToFloat(bits)});
    }
  }
}
