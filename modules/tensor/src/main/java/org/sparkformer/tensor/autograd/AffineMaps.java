package org.sparkformer.tensor.autograd;

import static org.sparkformer.tensor.DType.FLOAT32;

import java.util.List;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Shape;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.autograd.Functions.Linear;
import org.sparkformer.tensor.ops.ColumnSum;
import org.sparkformer.tensor.ops.Copy;
import org.sparkformer.tensor.ops.ExactGeluBackward;
import org.sparkformer.tensor.ops.MatMul;

/** Products with weights, and what adds to the weights' gradients. */
final class AffineMaps {
  /** Elements of bf16 that devices copy at once: rows of others would be rounded once more. */
  private static final int CHUNK = 8;

  private final Tape tape;
  private final Backend backend;

  AffineMaps(Tape tape) {
    this.tape = tape;
    this.backend = tape.backend();
  }

  /**
   * @param type of what they put out
   */
  List<Variable> linears(Variable x, List<Linear> linears, DType type) {
    List<Variable> outputs =
        linears.stream()
            .map(linear -> Variable.intermediate(backend.allocate(type, shape(x, linear))))
            .toList();
    for (int i = 0; i < outputs.size(); i++) {
      forward(x.value(), linears.get(i), outputs.get(i).value());
    }
    tape.record(
        outputs,
        List.of(),
        () -> {
          // Those after the first are added.
          Tensor dx = outputs.size() == 1 ? tape.gradientOf(x) : tape.floatsLike(x.value());
          for (int i = 0; i < outputs.size(); i++) {
            linearBackward(x.value(), linears.get(i), outputs.get(i).gradient(), dx, i > 0);
          }
          tape.contribute(x, dx);
        });
    return outputs;
  }

  private static Shape shape(Variable x, Linear linear) {
    return Shape.of(x.value().rows(), linear.columns());
  }

  /** GELU(x W + b), the exact one as BERT has it, in fp32. */
  Variable exactGelu(Variable x, Linear linear) {
    Tensor y = backend.allocate(FLOAT32, shape(x, linear));
    Variable output = Variable.intermediate(tape.floatsLike(y));
    forward(x.value(), linear, y, output.value(), true);
    tape.record(
        List.of(output),
        List.of(y),
        () -> {
          Tensor dx = tape.gradientOf(x);
          try (Tensor dy = tape.floatsLike(y)) {
            backend.run(new ExactGeluBackward(y, output.gradient(), dy, null));
            linearBackward(x.value(), linear, dy, dx, false);
          }
          tape.contribute(x, dx);
        });
    return output;
  }

  /** y = x W + b. */
  void forward(Tensor x, Linear linear, Tensor y) {
    forward(x, linear, y, null, false);
  }

  /**
   * The same, and GELU(y), the exact one or its approximation, where {@code activated} is not null.
   */
  void forward(Tensor x, Linear linear, Tensor y, Tensor activated, boolean exact) {
    Tensor bias = linear.bias() == null ? null : linear.bias().value();
    boolean transposed = linear.transposed();
    run(
        new MatMul(
            x, weight(linear), y, false, transposed, false, bias, activated, exact, FLOAT32));
  }

  private Tensor weight(Linear linear) {
    return linear.weight().operand(tape.operands());
  }

  private void run(MatMul product) {
    backend.run(product.with(tape.operands()));
  }

  /** Adds to the parameters' gradients; {@code dx} is overwritten, or added to. */
  void linearBackward(Tensor x, Linear linear, Tensor dy, Tensor dx, boolean adds) {
    try (Tensor factor = factor(dy)) {
      parametersBackward(x, linear, dy, factor);
      inputBackward(linear, factor, dx, adds);
    }
  }

  /**
   * A gradient as products are to read it, rounded once for both of them where the backend wants it
   * so, which changes nothing in the results; the caller closes it.
   */
  Tensor factor(Tensor dy) {
    if (dy.dtype() == backend.gradients(tape.operands()) || dy.columns() % CHUNK != 0) {
      return dy.share();
    }
    Tensor rounded = tape.gradient(dy.shape());
    backend.run(new Copy(dy, rounded));
    return rounded;
  }

  /**
   * What takes a last layer's outputs and then their gradient. Where the backend wants that rounded
   * and products can read it as it lies, it is, in rows that are filled up if they have to be.
   *
   * @param exact not rounded in any case
   */
  Tensor logits(int rows, Linear linear, boolean exact) {
    int columns = linear.columns();
    boolean readAsItLies = linear.transposed() || columns % CHUNK == 0;
    boolean rounds = backend.gradients(tape.operands()) != FLOAT32 && tape.recording() && !exact;
    if (!rounds || !readAsItLies) {
      return backend.floats(rows, columns);
    }
    return tape.gradient(Shape.of(rows, linear.transposed() ? MatMul.filledUp(columns) : columns));
  }

  /** The gradient of x; overwrites {@code dx}, or adds to it. */
  void inputBackward(Linear linear, Tensor dy, Tensor dx, boolean adds) {
    Tensor weight = weight(linear);
    boolean transposed = !linear.transposed();
    run(
        adds
            ? MatMul.adding(dy, weight, dx, false, transposed)
            : MatMul.of(dy, weight, dx, false, transposed));
  }

  /**
   * Adds to the parameters' gradients.
   *
   * @param factor of {@code dy}
   */
  void parametersBackward(Tensor x, Linear linear, Tensor dy, Tensor factor) {
    Tensor dWeight = linear.weight().gradient();
    run(
        linear.transposed()
            ? MatMul.adding(factor, x, dWeight, true, false)
            : MatMul.adding(x, factor, dWeight, true, false));
    if (linear.bias() != null) {
      backend.run(new ColumnSum(dy, linear.bias().gradient()));
    }
  }
}
