package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.EmbeddingBackward;
import org.sparkformer.tensor.ops.EmbeddingForward;
import org.sparkformer.tensor.ops.Operation;
import org.sparkformer.tensor.reference.JavaBackend;
import org.sparkformer.training.configuration.TrainingConfiguration;

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
                () -> train("run", 3, 2, rank, flipsWeight(element, bit)))
            .getMessage();
    assertTrue(
        message.startsWith(
            "before the update of step 4 rank " + rank + " holds other weights than most: "),
        message);
  }

  @Test
  void ofTwoRanksBothAreTold() {
    String message =
        assertThrows(ReplicasDifferException.class, () -> train("run", 2, 2, 1, flipsWeight(3, 7)))
            .getMessage();
    assertTrue(message.contains("no majority tells which are right"), message);
    assertTrue(message.matches(".*digests by rank: \\[[0-9a-f]{16}, [0-9a-f]{16}\\]"), message);
  }

  @Test
  void comparingChangesNoWeight() throws Exception {
    assertEquals(
        train("none", 3, 0, -1, flipsWeight(0, 0)), train("some", 3, 1, -1, flipsWeight(0, 0)));
  }

  /** It goes into the one sum that all ranks get: no replica differs from another. */
  @Test
  void aFlippedBitOfAGradientGoesToAllRanksAlikeAndIsNoDifferenceBetweenThem() throws Exception {
    String sound = train("sound", 3, 1, -1, flipsGradient(0, 29));
    String flipped = train("flipped", 3, 1, 1, flipsGradient(0, 29));
    assertNotEquals(sound, flipped);
  }

  private static BiConsumer<Flipping, Operation> flipsWeight(int element, int bit) {
    return (backend, operation) -> {
      if (operation instanceof EmbeddingForward embedding && ++backend.passes == backend.pass) {
        backend.flip(embedding.tokenWeight(), element, bit);
      }
    };
  }

  private static BiConsumer<Flipping, Operation> flipsGradient(int element, int bit) {
    return (backend, operation) -> {
      if (operation instanceof EmbeddingBackward embedding && ++backend.passes == backend.pass) {
        backend.flip(embedding.dPositionWeight(), element, bit);
      }
    };
  }

  private String train(
      String name, int ranks, int interval, int flipping, BiConsumer<Flipping, Operation> flip)
      throws Exception {
    TrainingConfiguration training =
        TinyRun.training().evalInterval(0).digestInterval(interval).build();
    List<RunSummary> summaries =
        TinyRun.train(
            run(name, TinyRun.configuration(training, 0)),
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
