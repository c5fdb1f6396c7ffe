package org.sparkformer.tensor.autograd;

import java.util.List;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Dropout;
import org.sparkformer.tensor.ops.DropoutApply;

/** Functions of single elements. */
final class ElementFunctions {
  private final Tape tape;
  private final Backend backend;

  ElementFunctions(Tape tape) {
    this.tape = tape;
    this.backend = tape.backend();
  }

  Variable dropout(Variable x, Dropout dropout) {
    if (dropout.isNone()) {
      return x;
    }
    Tensor y = x.isOwnedBy(tape) ? x.value().share() : tape.floatsLike(x.value());
    backend.run(new DropoutApply(x.value(), y, dropout));
    x.releaseBy(tape);
    Variable output = Variable.intermediate(y);
    tape.record(
        List.of(output),
        List.of(),
        () -> {
          Tensor dx = tape.floatsLike(x.value());
          backend.run(new DropoutApply(output.gradient(), dx, dropout));
          tape.contribute(x, dx);
        });
    return output;
  }
}
