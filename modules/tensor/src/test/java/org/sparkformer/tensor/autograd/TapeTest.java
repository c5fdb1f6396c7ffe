package org.sparkformer.tensor.autograd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.autograd.Functions.FeedForward;
import org.sparkformer.tensor.autograd.Functions.Linear;
import org.sparkformer.tensor.autograd.Functions.Norm;
import org.sparkformer.tensor.ops.Dropout;
import org.sparkformer.tensor.ops.Fill;
import org.sparkformer.tensor.reference.JavaBackend;

class TapeTest {
  private static final int WIDTH = 3;

  private final Backend backend = new JavaBackend();

  @Test
  void contributionsAddUp() {
    Variable variable = Variable.intermediate(tensor(0, 0));
    Tape tape = new Tape(backend, true);
    long before = backend.memory().bytes();
    tape.contribute(variable, tensor(1, 2));
    tape.contribute(variable, tensor(10, 20));
    tape.contribute(variable, tensor(100, 200));
    assertArrayEquals(new float[] {111, 222}, backend.readFloats(variable.gradient()));
    assertEquals(before + 8, backend.memory().bytes());
  }

  @Test
  void aSharedContributionStaysWhatItWasForTheOthers() {
    Variable first = Variable.intermediate(tensor(0));
    Variable second = Variable.intermediate(tensor(0));
    Tape tape = new Tape(backend, true);
    Tensor gradient = tensor(5);
    tape.contribute(first, gradient.share());
    tape.contribute(second, gradient);
    tape.contribute(first, tensor(2));
    assertArrayEquals(new float[] {7}, backend.readFloats(first.gradient()));
    assertArrayEquals(new float[] {5}, backend.readFloats(second.gradient()));
  }

  @Test
  void parametersTakeNoContributions() {
    Tape tape = new Tape(backend, true);
    Variable parameter = Variable.parameter(tensor(1), tensor(0));
    Tensor gradient = tensor(1);
    assertThrows(IllegalArgumentException.class, () -> tape.contribute(parameter, gradient));
  }

  @Test
  void runsBackwardFromTheLossPastWhatNothingReached() {
    List<String> order = new ArrayList<>();
    Tape tape = new Tape(backend, true);
    Variable x = Variable.intermediate(tensor(1));
    tape.record(List.of(x), List.of(), () -> order.add("x"));
    Variable unused = Variable.intermediate(tensor(1));
    tape.record(List.of(unused), List.of(), () -> order.add("unused"));
    Variable y = Variable.intermediate(tensor(1));
    tape.record(
        List.of(y),
        List.of(),
        () -> {
          order.add("y");
          tape.contribute(x, y.gradient().share());
        });
    tape.record(
        List.of(),
        List.of(),
        () -> {
          order.add("loss");
          tape.contribute(y, tensor(1));
        });
    tape.backward();
    assertEquals(List.of("loss", "y", "x"), order);
    assertEquals(0, backend.memory().bytes());
  }

  @Test
  void aMarkIsReportedWhenAllThatWasRecordedLaterHasRun() {
    List<String> order = new ArrayList<>();
    Tape tape = new Tape(backend, true);
    tape.record(List.of(), List.of(), () -> order.add("first"));
    tape.mark(7);
    tape.record(List.of(), List.of(), () -> order.add("second"));
    tape.mark(8);
    tape.backward(label -> order.add("mark " + label));
    assertEquals(List.of("mark 8", "second", "mark 7", "first"), order);
  }

  @Test
  void closingWithoutABackwardPassGivesEverythingBack() {
    try (Tensor saved = tensor(1)) {
      long before = backend.memory().bytes();
      try (Tape tape = new Tape(backend, true)) {
        Variable output = Variable.intermediate(tensor(1, 2, 3));
        tape.record(List.of(output), List.of(saved.share()), () -> {});
        tape.contribute(output, tensor(4, 5, 6));
      }
      assertEquals(before, backend.memory().bytes());
    }
  }

  @Test
  void aSegmentHoldsOnlyItsInputsAndOutputsAndGivesTheSameGradients() {
    try (Chain plain = new Chain();
        Chain segmented = new Chain()) {
      long withoutActivations = backend.memory().bytes();
      Variable kept = plain.run(false);
      long all = backend.memory().bytes() - withoutActivations;
      Variable recomputed = segmented.run(true);
      long few = backend.memory().bytes() - withoutActivations - all;
      long rows = 2 * WIDTH * Float.BYTES;
      assertEquals(2 * rows, few, "input and output of the segment");
      assertEquals(2 * rows + 2 * rows, all, "and two layers' worth between them");

      plain.backward(kept);
      segmented.backward(recomputed);
      assertArrayEquals(plain.gradient(), segmented.gradient());
      assertEquals(withoutActivations, backend.memory().bytes());
    }
  }

  @Test
  void withoutRecordingASegmentLeavesItsOutputAlone() {
    try (Tape tape = new Tape(backend, false)) {
      Variable x = Variable.intermediate(tensor(1));
      tape.record(List.of(x), List.of(), () -> {});
      Variable y =
          tape.segment(
                  List.of(x),
                  (inner, in) -> {
                    Variable out = Variable.intermediate(tensor(2, 3));
                    inner.record(List.of(out), List.of(tensor(9, 9, 9)), () -> {});
                    return List.of(out);
                  })
              .get(0);
      assertArrayEquals(new float[] {2, 3}, backend.readFloats(y.value()));
      assertNull(y.gradient());
      assertEquals(12, backend.memory().bytes());
    }
    assertEquals(0, backend.memory().bytes());
  }

  @Test
  void whatProductsReadIsKeptInTheirOperandsTypeAndAllElseInFp32() {
    try (Tape tape = new Tape(backend, true, DType.BFLOAT16);
        Chain chain = new Chain();
        Tensor rows = tensor(1, 2, 3);
        Tensor gradient = tensor(1, -1, 2)) {
      Variable x = Variable.intermediate(rows.reshape(1, WIDTH));
      Functions functions = new Functions(tape);
      Variable y = functions.projection(x, chain.linear());
      Variable z = functions.feedForward(y, new FeedForward(chain.linear(), chain.linear(), false));
      assertEquals(DType.BFLOAT16, y.value().dtype());
      assertEquals(DType.FLOAT32, z.value().dtype());
      tape.contribute(z, gradient.reshape(1, WIDTH).share());
      tape.backward();
      assertEquals(DType.FLOAT32, x.gradient().dtype());
      x.gradient().close();
    }
  }

  @ParameterizedTest
  @CsvSource({"FLOAT32, true", "FLOAT32, false", "BFLOAT16, true", "BFLOAT16, false"})
  void ofAFeedForwardLayerOnlyWhatGeluTakesIsKept(DType operands, boolean exact) {
    try (Tape tape = new Tape(backend, true, operands);
        Chain chain = new Chain()) {
      Variable x = recorded(tape, 1, 2, 3, -1, .5f, 2);
      long before = backend.memory().bytes();
      new Functions(tape).feedForward(x, new FeedForward(chain.linear(), chain.linear(), exact));
      long rows = 2 * WIDTH;
      long output = rows * Float.BYTES;
      assertEquals(before + rows * operands.bytes() + output, backend.memory().bytes());
    }
    assertEquals(0, backend.memory().bytes());
  }

  @Test
  void aBranchTakesNoMemoryOnceItIsDroppedFromAndAdded() {
    try (Tape tape = new Tape(backend, true);
        Tensor ones = tensor(1, 1, 1);
        Tensor slope = tensor(0, 0, 0)) {
      Variable x = recorded(tape, 1, 2, 3, 4, 5, 6);
      Variable branch = recorded(tape, -1, -2, 3, 5, 1, 2);
      Functions functions = new Functions(tape);
      long before = backend.memory().bytes();
      Variable weight = Variable.parameter(ones, slope);
      Norm norm = new Norm(weight, weight, 1e-5f);
      functions.layerNorm(x, branch, new Dropout(0.5f, 1, 2, 3, 0), norm);
      long statistics = 2 * 2 * Float.BYTES;
      long rows = 2 * WIDTH * Float.BYTES;
      assertEquals(before + 2 * rows + statistics - rows, backend.memory().bytes(), "sum, y");
    }
    assertEquals(0, backend.memory().bytes());
  }

  private Variable recorded(Tape tape, float... values) {
    Tensor rows = backend.floats(values.length / WIDTH, WIDTH);
    backend.write(rows, values);
    Variable variable = Variable.intermediate(rows);
    tape.record(List.of(variable), List.of(), () -> {});
    return variable;
  }

  private Tensor tensor(float... values) {
    Tensor tensor = backend.floats(values.length);
    backend.write(tensor, values);
    return tensor;
  }

  /** Three linear layers with one weight, the inner two and the last as a segment or not. */
  private final class Chain implements AutoCloseable {
    private final Tape tape = new Tape(backend, true);
    private final Tensor weight = backend.floats(WIDTH, WIDTH);
    private final Tensor weightGradient = backend.floats(WIDTH, WIDTH);
    private final Tensor bias = tensor(.1f, .2f, .3f);
    private final Tensor biasGradient = tensor(0, 0, 0);

    Chain() {
      backend.write(weight, new float[] {1, 2, -1, .5f, -2, 1, 3, 1, .25f});
      backend.run(new Fill(weightGradient, 0f));
    }

    Variable run(boolean segmented) {
      Tensor rows = backend.floats(2, WIDTH);
      backend.write(rows, new float[] {1, 2, 3, -1, .5f, 2});
      Variable x = Variable.intermediate(rows);
      tape.record(List.of(x), List.of(), () -> {});
      return segmented
          ? tape.segment(List.of(x), (inner, in) -> List.of(layers(inner, in.get(0)))).get(0)
          : layers(tape, x);
    }

    private Variable layers(Tape on, Variable x) {
      Functions functions = new Functions(on);
      Linear linear = linear();
      return functions.linear(functions.linear(functions.linear(x, linear), linear), linear);
    }

    Linear linear() {
      return new Linear(
          Variable.parameter(weight, weightGradient), Variable.parameter(bias, biasGradient));
    }

    void backward(Variable output) {
      Tensor gradient = backend.floats(2, WIDTH);
      backend.write(gradient, new float[] {1, -1, 2, .5f, 1, 1});
      tape.contribute(output, gradient);
      tape.backward();
    }

    float[] gradient() {
      return backend.readFloats(weightGradient);
    }

    @Override
    public void close() {
      tape.close();
      List.of(weight, weightGradient, bias, biasGradient).forEach(Tensor::close);
    }
  }
}
