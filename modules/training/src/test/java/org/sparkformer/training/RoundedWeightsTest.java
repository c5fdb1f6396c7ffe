package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkformer.opencl.DeviceSelector;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.tensor.BFloat16;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.AdamW;
import org.sparkformer.tensor.ops.Copy;
import org.sparkformer.tensor.ops.MatMul;
import org.sparkformer.tensor.ops.Operation;
import org.sparkformer.tensor.reference.JavaBackend;
import org.sparkformer.training.configuration.Precision;
import org.sparkformer.training.configuration.RunConfiguration;
import org.sparkformer.training.configuration.TrainingConfiguration;

/** Weights that are kept in bf16 for products are those that the optimizer keeps, at all times. */
class RoundedWeightsTest extends TinyRuns {
  private static final TrainingConfiguration TRAINING =
      TinyRun.training()
          .steps(7)
          .checkpointInterval(2)
          .logInterval(1)
          .precision(Precision.BF16)
          .build();

  /** Products that read rounded weights. */
  private final AtomicInteger reads = new AtomicInteger();

  /** On from a checkpoint on another number of ranks; with evaluations between the steps. */
  @ParameterizedTest
  @CsvSource({"1, 1", "2, 3", "3, 1"})
  void theyFollowEveryStepAndEveryCheckpointThatIsLoaded(int before, int after) throws Exception {
    RunConfiguration configuration = TinyRun.configuration(TRAINING, 0.1);
    assertThrows(
        IllegalStateException.class,
        () ->
            TinyRun.train(
                run("run", configuration), before, TinyRuns.stoppingAfter(5), watched(false)));
    int first = reads.getAndSet(0);
    RunSummary resumed = train("run", configuration, after, watched(false));
    assertTrue(first > 0 && reads.get() > 0, "read " + first + " and " + reads.get() + " times");
    assertEquals(
        train("straight", configuration, 1, rank -> new JavaBackend(1)).weightsSha256(),
        resumed.weightsSha256());
  }

  /** To a checkpoint, and to the start where there is none. */
  @ParameterizedTest
  @CsvSource({"1, 10", "2, 10", "1, 0"})
  void theyFollowARunThatGoesBack(int ranks, int checkpoints) throws Exception {
    TrainingConfiguration training =
        TRAINING.toBuilder()
            .steps(60)
            .evalInterval(0)
            .checkpointInterval(checkpoints)
            .keepCheckpoints(4)
            .spikeSigma(5)
            .spikeWindow(20)
            .build();
    List<String> messages = new ArrayList<>();
    RunSummary summary =
        TinyRun.train(
                run("run", TinyRun.configuration(training, 0)),
                ranks,
                messages(messages),
                rank -> new Spoiling(45))
            .get(0);
    assertTrue(messages.get(messages.size() - 1).contains("going back"), messages.toString());
    assertEquals(60, summary.steps());
    assertTrue(reads.get() > 0);
  }

  /** By the kernels for this machine's device. */
  @Test
  void productsOfThemHaveTheBitsOfProductsThatRound() throws Exception {
    RunConfiguration configuration = TinyRun.configuration(TRAINING, 0.1);
    IntFunction<Backend> backends = rank -> OpenClBackend.open(DeviceSelector.AUTO);
    RunSummary kept = train("kept", configuration, 1, backends);
    RunSummary rounding =
        train("rounding", configuration, 1, rank -> new Watched(backends.apply(rank), true));
    assertTrue(reads.get() > 0);
    assertEquals(kept.weightsSha256(), rounding.weightsSha256());
    assertEquals(kept.loss(), rounding.loss());
    assertEquals(kept.valLoss(), rounding.valLoss());
  }

  private RunSummary train(
      String name, RunConfiguration configuration, int ranks, IntFunction<Backend> backends)
      throws Exception {
    return TinyRun.train(run(name, configuration), ranks, TrainingListener.NONE, backends).get(0);
  }

  private IntFunction<Backend> watched(boolean replaces) {
    return rank -> new Watched(new JavaBackend(1), replaces);
  }

  /** Compares rounded weights with the optimizer's whenever a product reads them. */
  private class Watched extends ForwardingBackend {
    private final boolean replaces;
    private Tensor weights;
    private Tensor rounded;

    /**
     * @param replaces whether products read the optimizer's weights in their place
     */
    Watched(Backend backend, boolean replaces) {
      super(backend);
      this.replaces = replaces;
    }

    @Override
    public void run(Operation operation) {
      if (operation instanceof Copy copy && copy.y().dtype() == DType.BFLOAT16) {
        remember(copy.x(), copy.y());
      } else if (operation instanceof AdamW step) {
        remember(step.parameters(), step.rounded());
      }
      boolean reads =
          operation instanceof MatMul product
              && rounded != null
              && product.b().storage() == rounded.storage();
      super.run(reads ? checked((MatMul) operation) : operation);
    }

    private void remember(Tensor of, Tensor copy) {
      assertEquals(of.offset(), copy.offset());
      weights = of;
      rounded = copy;
    }

    private MatMul checked(MatMul product) {
      Tensor b = product.b();
      Tensor master = new Tensor(weights.storage(), DType.FLOAT32, b.offset(), b.shape());
      float[] expected = readFloats(master);
      ByteBuffer actual = ByteBuffer.allocateDirect((int) b.bytes()).order(ByteOrder.nativeOrder());
      read(b, actual);
      for (int i = 0; i < expected.length; i++) {
        assertEquals(BFloat16.round(expected[i]), actual.getShort(i * Short.BYTES), "stale");
      }
      RoundedWeightsTest.this.reads.incrementAndGet();
      return replaces
          ? new MatMul(
              product.a(),
              master,
              product.c(),
              product.transposeA(),
              product.transposeB(),
              product.accumulate(),
              product.bias(),
              product.activated(),
              product.exact(),
              product.operands())
          : product;
    }
  }

  /** Turns the weights round before the update of one step. */
  private final class Spoiling extends Watched {
    private final int step;

    Spoiling(int step) {
      super(new JavaBackend(1), false);
      this.step = step;
    }

    @Override
    public void run(Operation operation) {
      if (operation instanceof AdamW update && update.settings().step() == step) {
        float[] values = readFloats(update.parameters());
        for (int i = 0; i < values.length; i++) {
          values[i] *= -3;
        }
        write(update.parameters(), values);
      }
      super.run(operation);
    }
  }
}
