package org.sparkformer.tensor.autograd;

import java.util.List;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Attention;
import org.sparkformer.tensor.ops.AttentionBackward;
import org.sparkformer.tensor.ops.AttentionForward;
import org.sparkformer.tensor.ops.ColumnSum;
import org.sparkformer.tensor.ops.Dropout;
import org.sparkformer.tensor.ops.DropoutApply;
import org.sparkformer.tensor.ops.EmbeddingBackward;
import org.sparkformer.tensor.ops.EmbeddingForward;
import org.sparkformer.tensor.ops.GeluBackward;
import org.sparkformer.tensor.ops.LayerNormBackward;
import org.sparkformer.tensor.ops.LayerNormForward;
import org.sparkformer.tensor.ops.LayerNormWeightBackward;
import org.sparkformer.tensor.ops.MatMul;
import org.sparkformer.tensor.ops.Projection;
import org.sparkformer.tensor.ops.SoftmaxCrossEntropy;

/**
 * Differentiable functions: each runs its forward operations and records its hand-written backward
 * pass on a tape.
 *
 * <p>Shapes: B sequences of T positions, R = B T rows, C columns.
 */
public final class Functions {
  /** Most logits held at once; the vocabulary projection goes over the rows in chunks of this. */
  private static final long LOGITS_AT_ONCE = 1L << 25;

  private final Tape tape;
  private final Backend backend;

  public Functions(Tape tape) {
    this.tape = tape;
    this.backend = tape.backend();
  }

  /** The residual stream after an addition, and its normalised rows. */
  public record Normalized(Variable sum, Variable normalized) {}

  /** An affine map's parameters: weight [in, out], bias [out]. */
  public record Linear(Variable weight, Variable bias) {}

  /** Token embedding plus learned position embedding: int32 tokens [B, T] to [R, C]. */
  public Variable embedding(
      Tensor tokens, Variable tokenWeight, Variable positionWeight, int firstPosition) {
    Tensor y = backend.floats(tokens.size(), tokenWeight.value().columns());
    backend.run(
        new EmbeddingForward(
            tokens, tokenWeight.value(), positionWeight.value(), y, firstPosition));
    Variable output = Variable.intermediate(y);
    tape.record(
        List.of(output),
        List.of(),
        () ->
            backend.run(
                new EmbeddingBackward(
                    tokens, output.gradient(), tokenWeight.gradient(), positionWeight.gradient())));
    return output;
  }

  /** Drops elements; the identity where the probability is 0. */
  public Variable dropout(Variable x, Dropout dropout) {
    if (dropout.probability() == 0f) {
      return x;
    }
    Variable output = Variable.intermediate(like(x.value()));
    backend.run(new DropoutApply(x.value(), output.value(), dropout));
    tape.record(
        List.of(output),
        List.of(),
        () -> {
          Tensor dx = like(x.value());
          backend.run(new DropoutApply(output.gradient(), dx, dropout));
          tape.contribute(x, dx);
        });
    return output;
  }

  /** y = x W + b: [R, in] to [R, out]. */
  public Variable linear(Variable x, Linear linear) {
    Tensor weight = linear.weight().value();
    Variable output = Variable.intermediate(backend.floats(x.value().rows(), weight.columns()));
    run(product(x, linear, output.value(), null));
    tape.record(List.of(output), List.of(), () -> linearBackward(x, linear, output.gradient()));
    return output;
  }

  /** y = GELU(x W + b): [R, in] to [R, out]. */
  public Variable linearGelu(Variable x, Linear linear) {
    Tensor weight = linear.weight().value();
    Tensor preActivation = backend.floats(x.value().rows(), weight.columns());
    Variable output = Variable.intermediate(like(preActivation));
    run(product(x, linear, preActivation, output.value()));
    tape.record(
        List.of(output),
        List.of(preActivation),
        () -> {
          try (Tensor gradient = like(preActivation)) {
            backend.run(new GeluBackward(preActivation, output.gradient(), gradient));
            linearBackward(x, linear, gradient);
          }
        });
    return output;
  }

  private static MatMul product(Variable x, Linear linear, Tensor y, Tensor activated) {
    return new MatMul(
        x.value(),
        linear.weight().value(),
        y,
        false,
        false,
        false,
        linear.bias().value(),
        activated,
        DType.FLOAT32);
  }

  private void run(MatMul product) {
    backend.run(product.with(tape.operands()));
  }

  private void linearBackward(Variable x, Linear linear, Tensor dy) {
    run(MatMul.adding(x.value(), dy, linear.weight().gradient(), true, false));
    backend.run(new ColumnSum(dy, linear.bias().gradient()));
    Tensor dx = like(x.value());
    run(MatMul.of(dy, linear.weight().value(), dx, false, true));
    tape.contribute(x, dx);
  }

  /** Layer normalisation of x + branch; {@code branch} may be null, then the sum is x itself. */
  public Normalized layerNorm(
      Variable x, Variable branch, Variable weight, Variable bias, float epsilon) {
    Tensor rows = x.value();
    Variable sum = branch == null ? x : Variable.intermediate(like(rows));
    Variable y = Variable.intermediate(like(rows));
    Tensor mean = backend.floats(rows.rows());
    Tensor rstd = backend.floats(rows.rows());
    backend.run(
        new LayerNormForward(
            rows,
            branch == null ? null : branch.value(),
            branch == null ? null : sum.value(),
            weight.value(),
            bias.value(),
            y.value(),
            mean,
            rstd,
            epsilon));
    tape.record(
        branch == null ? List.of(y) : List.of(sum, y),
        List.of(mean, rstd),
        () -> {
          Tensor input = sum.value();
          Tensor dy = y.gradient();
          backend.run(
              new LayerNormWeightBackward(
                  dy, input, mean, rstd, weight.gradient(), bias.gradient()));
          Tensor dx = like(input);
          Tensor past = branch == null ? null : sum.gradient();
          backend.run(new LayerNormBackward(dy, input, weight.value(), mean, rstd, past, dx));
          if (branch != null) {
            tape.contribute(branch, dx.share());
          }
          tape.contribute(x, dx);
        });
    return new Normalized(sum, y);
  }

  /** Self-attention over packed queries, keys and values: [R, 3 C] to [R, C]. */
  public Variable selfAttention(Variable qkv, Attention attention) {
    Tensor packed = qkv.value();
    int columns = attention.columns();
    Variable output = Variable.intermediate(backend.floats(packed.rows(), columns));
    Tensor logSumExp = backend.floats(attention.batch(), attention.heads(), attention.queries());
    AttentionForward forward =
        new AttentionForward(
            attention,
            new Projection(packed, 0, attention.keys()),
            new Projection(packed, columns, attention.keys()),
            new Projection(packed, 2 * columns, attention.keys()),
            output.value(),
            logSumExp);
    backend.run(forward);
    tape.record(
        List.of(output),
        List.of(logSumExp),
        () -> {
          Tensor dPacked = like(packed);
          try (Tensor delta = like(logSumExp)) {
            backend.run(
                new AttentionBackward(
                    forward, output.gradient(), dPacked, dPacked, dPacked, delta));
          }
          tape.contribute(qkv, dPacked);
        });
    return output;
  }

  /**
   * Cross-entropy of next tokens under the tied embedding: logits = h W^T, a chunk of rows at a
   * time, so that at most {@value #LOGITS_AT_ONCE} logits (or one row) are held.
   *
   * <p>When recording, the gradients are computed right here, while the logits of a chunk are at
   * hand; the backward pass then only passes on the gradient of {@code hidden}.
   *
   * @param hidden [R, C]
   * @param tokenWeight [V, C]
   * @param targets int32 [R], negative to ignore a row
   * @param losses [R], overwritten
   * @param scale factor of the loss's gradient: one over the number of targets in the global batch
   */
  public void crossEntropy(
      Variable hidden, Variable tokenWeight, Tensor targets, Tensor losses, float scale) {
    Tensor weight = tokenWeight.value();
    int rows = hidden.value().rows();
    int chunk = (int) Math.min(rows, Math.max(1, LOGITS_AT_ONCE / weight.rows()));
    Tensor dHidden = tape.recording() ? like(hidden.value()) : null;
    for (int first = 0; first < rows; first += chunk) {
      int count = Math.min(chunk, rows - first);
      Tensor part = hidden.value().rows(first, count);
      try (Tensor logits = backend.floats(count, weight.rows())) {
        run(MatMul.of(part, weight, logits, false, true));
        backend.run(
            new SoftmaxCrossEntropy(
                logits,
                targets.view(first, count),
                losses.view(first, count),
                scale,
                tape.recording()));
        if (tape.recording()) {
          run(MatMul.adding(logits, part, tokenWeight.gradient(), true, false));
          run(MatMul.of(logits, weight, dHidden.rows(first, count), false, false));
        }
      }
    }
    if (tape.recording()) {
      tape.record(List.of(), List.of(dHidden), () -> tape.contribute(hidden, dHidden.share()));
    }
  }

  private Tensor like(Tensor tensor) {
    return backend.allocate(tensor.dtype(), tensor.shape());
  }
}
