package org.sparkformer.tensor.autograd;

import java.util.List;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Shape;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.autograd.Functions.FeedForward;
import org.sparkformer.tensor.ops.ExactGeluBackward;
import org.sparkformer.tensor.ops.GeluBackward;

/**
 * Two affine maps with GELU between them. What GELU puts out is as large as what it takes and cheap
 * to compute, so the backward pass computes it again, beside GELU's slope and in its input's place.
 */
final class FeedForwards {
  private final Tape tape;
  private final Backend backend;
  private final AffineMaps maps;

  FeedForwards(Tape tape) {
    this.tape = tape;
    this.backend = tape.backend();
    this.maps = new AffineMaps(tape);
  }

  Variable of(Variable x, FeedForward layer) {
    int rows = x.value().rows();
    Tensor expanded = tape.operand(Shape.of(rows, layer.in().columns()));
    Variable y = Variable.intermediate(backend.floats(rows, layer.out().columns()));
    try (Tensor activated = tape.operand(expanded.shape())) {
      maps.forward(x.value(), layer.in(), expanded, activated, layer.exact());
      maps.forward(activated, layer.out(), y.value());
    }
    tape.record(List.of(y), List.of(expanded), () -> backward(x, layer, expanded, y.gradient()));
    return y;
  }

  private void backward(Variable x, FeedForward layer, Tensor expanded, Tensor dy) {
    try (Tensor factor = maps.factor(dy)) {
      Tensor dx = tape.gradientOf(x);
      try (Tensor gradient = tape.gradient(expanded.shape())) {
        maps.inputBackward(layer.out(), factor, gradient, false);
        backend.run(
            layer.exact()
                ? new ExactGeluBackward(expanded, gradient, gradient, expanded)
                : new GeluBackward(expanded, gradient, gradient, expanded));
        maps.parametersBackward(expanded, layer.out(), dy, factor);
        maps.linearBackward(x.value(), layer.in(), gradient, dx, false);
      }
      tape.contribute(x, dx);
    }
  }
}
