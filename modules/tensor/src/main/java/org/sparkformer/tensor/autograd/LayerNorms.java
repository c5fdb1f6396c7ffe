package org.sparkformer.tensor.autograd;

import java.util.List;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.autograd.Functions.Norm;
import org.sparkformer.tensor.autograd.Functions.Normalized;
import org.sparkformer.tensor.ops.Dropout;
import org.sparkformer.tensor.ops.LayerNormBackward;
import org.sparkformer.tensor.ops.LayerNormForward;
import org.sparkformer.tensor.ops.LayerNormWeightBackward;

/** Layer normalisation, fused with dropout and the addition before it. */
final class LayerNorms {
  private final Tape tape;
  private final Backend backend;

  LayerNorms(Tape tape) {
    this.tape = tape;
    this.backend = tape.backend();
  }

  /**
   * @param dropout of the branch, if there is one
   * @param type of the normalised rows
   */
  Normalized layerNorm(Variable x, Variable branch, Dropout dropout, Norm norm, DType type) {
    Tensor rows = x.value();
    Variable sum = branch == null ? x : Variable.intermediate(tape.floatsLike(rows));
    Variable y = Variable.intermediate(backend.allocate(type, rows.shape())).takingRounded();
    Tensor mean = backend.floats(rows.rows());
    Tensor rstd = backend.floats(rows.rows());
    backend.run(
        new LayerNormForward(
            rows,
            branch == null ? null : branch.value(),
            branch == null ? null : sum.value(),
            norm.weight().value(),
            norm.bias().value(),
            y.value(),
            mean,
            rstd,
            norm.epsilon(),
            dropout));
    if (branch != null) {
      branch.releaseBy(tape);
    }
    tape.record(
        branch == null ? List.of(y) : List.of(sum, y),
        List.of(mean, rstd),
        () -> {
          Tensor input = sum.value();
          Tensor dy = y.gradient();
          backend.run(
              new LayerNormWeightBackward(
                  dy, input, mean, rstd, norm.weight().gradient(), norm.bias().gradient()));
          Tensor dx = tape.floatsLike(input);
          Tensor past = branch == null ? null : sum.gradient();
          Tensor dBranch = dropout.isNone() ? null : tape.floatsLike(input);
          backend.run(
              new LayerNormBackward(
                  dy, input, norm.weight().value(), mean, rstd, past, dx, dBranch, dropout));
          if (branch != null) {
            tape.contribute(branch, dBranch == null ? dx.share() : dBranch);
          }
          tape.contribute(x, dx);
        });
    return new Normalized(sum, y);
  }
}
