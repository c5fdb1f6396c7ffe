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
import org.sparkformer.tensor.ops.ExactGelu;
import org.sparkformer.tensor.ops.ExactGeluBackward;
import org.sparkformer.tensor.ops.Fill;
import org.sparkformer.tensor.ops.GeluBackward;
import org.sparkformer.tensor.ops.LayerNormBackward;
import org.sparkformer.tensor.ops.LayerNormForward;
import org.sparkformer.tensor.ops.LayerNormWeightBackward;
import org.sparkformer.tensor.ops.MatMul;
import org.sparkformer.tensor.ops.Projection;
import org.sparkformer.tensor.ops.SoftmaxCrossEntropy;
import org.sparkformer.tensor.ops.TopHits;

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

  /**
   * An affine map's parameters.
   *
   * @param weight [in, out], or [out, in] where {@code transposed}
   * @param bias null for none, or [out]
   */
  public record Linear(Variable weight, Variable bias, boolean transposed) {

    /** A weight of [in, out], as transformers' GPT-2 has it. */
    public Linear(Variable weight, Variable bias) {
      this(weight, bias, false);
    }

    /** A weight of [out, in], as PyTorch's nn.Linear has it. */
    public static Linear transposed(Variable weight, Variable bias) {
      return new Linear(weight, bias, true);
    }

    private int columns() {
      return transposed ? weight.value().rows() : weight.value().columns();
    }
  }

  /**
   * What the last layer is to predict, and where what comes of it goes.
   *
   * @param ids int32 [R], negative to ignore a row
   * @param losses [R], overwritten with cross-entropies
   * @param hits null, or [R], overwritten with 1 where the target is the likeliest token, else 0
   * @param scale factor of the loss's gradient: one over the number of targets in the global batch
   */
  public record Targets(Tensor ids, Tensor losses, Tensor hits, float scale) {}

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

  /**
   * Rows of a table by their numbers.
   *
   * @param numbers int32, of any shape with R elements
   * @param table [V, C], a parameter or what was computed
   * @return [R, C]
   */
  public Variable gather(Tensor numbers, Variable table) {
    Tensor y = backend.floats(numbers.size(), table.value().columns());
    backend.run(new EmbeddingForward(numbers, table.value(), null, y, 0));
    Variable output = Variable.intermediate(y);
    tape.record(List.of(output), List.of(), () -> scatter(numbers, output.gradient(), table));
    return output;
  }

  private void scatter(Tensor numbers, Tensor dy, Variable table) {
    if (table.isParameter()) {
      backend.run(new EmbeddingBackward(numbers, dy, table.gradient(), null));
      return;
    }
    Tensor gradient = like(table.value());
    backend.run(new Fill(gradient, 0f));
    backend.run(new EmbeddingBackward(numbers, dy, gradient, null));
    tape.contribute(table, gradient);
  }

  /** The first row of a parameter [V, C], repeated: [rows, C]. */
  public Variable repeated(Variable table, int rows) {
    Tensor y = backend.floats(rows, table.value().columns());
    try (Tensor zeros = backend.ints(rows)) {
      backend.write(zeros, new int[rows]);
      backend.run(new EmbeddingForward(zeros, table.value(), null, y, 0));
    }
    Variable output = Variable.intermediate(y);
    tape.record(
        List.of(output),
        List.of(),
        () -> backend.run(new ColumnSum(output.gradient(), table.gradient().view(0, y.columns()))));
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
    return linears(x, List.of(linear)).get(0);
  }

  /** As {@link #linear}, several maps of the same rows, all of which have to be used. */
  public List<Variable> linears(Variable x, List<Linear> linears) {
    List<Variable> outputs =
        linears.stream()
            .map(
                linear -> Variable.intermediate(backend.floats(x.value().rows(), linear.columns())))
            .toList();
    for (int i = 0; i < outputs.size(); i++) {
      run(product(x, linears.get(i), outputs.get(i).value(), null));
    }
    tape.record(
        outputs,
        List.of(),
        () -> {
          Tensor dx = like(x.value());
          for (int i = 0; i < outputs.size(); i++) {
            linearBackward(x, linears.get(i), outputs.get(i).gradient(), dx, i > 0);
          }
          tape.contribute(x, dx);
        });
    return outputs;
  }

  /** y = GELU(x W + b): [R, in] to [R, out]. */
  public Variable linearGelu(Variable x, Linear linear) {
    Tensor preActivation = backend.floats(x.value().rows(), linear.columns());
    Variable output = Variable.intermediate(like(preActivation));
    run(product(x, linear, preActivation, output.value()));
    tape.record(
        List.of(output),
        List.of(preActivation),
        () -> {
          try (Tensor gradient = like(preActivation)) {
            backend.run(new GeluBackward(preActivation, output.gradient(), gradient));
            Tensor dx = like(x.value());
            linearBackward(x, linear, gradient, dx, false);
            tape.contribute(x, dx);
          }
        });
    return output;
  }

  /** GELU as BERT has it, by the normal distribution itself: see {@link ExactGelu}. */
  public Variable exactGelu(Variable x) {
    Variable output = Variable.intermediate(like(x.value()));
    backend.run(new ExactGelu(x.value(), output.value()));
    tape.record(
        List.of(output),
        List.of(),
        () -> {
          Tensor dx = like(x.value());
          backend.run(new ExactGeluBackward(x.value(), output.gradient(), dx));
          tape.contribute(x, dx);
        });
    return output;
  }

  private static MatMul product(Variable x, Linear linear, Tensor y, Tensor activated) {
    return new MatMul(
        x.value(),
        linear.weight().value(),
        y,
        false,
        linear.transposed(),
        false,
        linear.bias() == null ? null : linear.bias().value(),
        activated,
        DType.FLOAT32);
  }

  private void run(MatMul product) {
    backend.run(product.with(tape.operands()));
  }

  /** Adds to the parameters' gradients; {@code dx} is overwritten, or added to. */
  private void linearBackward(Variable x, Linear linear, Tensor dy, Tensor dx, boolean adds) {
    parametersBackward(x.value(), linear, dy);
    Tensor weight = linear.weight().value();
    boolean transposed = !linear.transposed();
    run(
        adds
            ? MatMul.adding(dy, weight, dx, false, transposed)
            : MatMul.of(dy, weight, dx, false, transposed));
  }

  private void parametersBackward(Tensor x, Linear linear, Tensor dy) {
    Tensor dWeight = linear.weight().gradient();
    run(
        linear.transposed()
            ? MatMul.adding(dy, x, dWeight, true, false)
            : MatMul.adding(x, dy, dWeight, true, false));
    if (linear.bias() != null) {
      backend.run(new ColumnSum(dy, linear.bias().gradient()));
    }
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
    AttentionForward forward =
        attend(
            attention,
            new Projection(packed, 0, attention.keys()),
            new Projection(packed, columns, attention.keys()),
            new Projection(packed, 2 * columns, attention.keys()));
    Variable output = Variable.intermediate(forward.y());
    tape.record(
        List.of(output),
        List.of(forward.logSumExp()),
        () -> {
          Tensor dPacked = like(packed);
          attendBackward(forward, output.gradient(), List.of(dPacked, dPacked, dPacked));
          tape.contribute(qkv, dPacked);
        });
    return output;
  }

  /** Self-attention over queries, keys and values, [R, C] each, to [R, C]. */
  public Variable attention(Variable query, Variable key, Variable value, Attention attention) {
    AttentionForward forward =
        attend(
            attention,
            new Projection(query.value(), 0, attention.queries()),
            new Projection(key.value(), 0, attention.keys()),
            new Projection(value.value(), 0, attention.keys()));
    Variable output = Variable.intermediate(forward.y());
    tape.record(
        List.of(output),
        List.of(forward.logSumExp()),
        () -> {
          List<Tensor> gradients =
              List.of(like(query.value()), like(key.value()), like(value.value()));
          attendBackward(forward, output.gradient(), gradients);
          tape.contribute(query, gradients.get(0));
          tape.contribute(key, gradients.get(1));
          tape.contribute(value, gradients.get(2));
        });
    return output;
  }

  private AttentionForward attend(
      Attention attention, Projection query, Projection key, Projection value) {
    long rows = (long) attention.batch() * attention.queries();
    Tensor y = backend.floats(rows, attention.columns());
    Tensor logSumExp = backend.floats(attention.batch(), attention.heads(), attention.queries());
    AttentionForward forward =
        new AttentionForward(attention.with(tape.operands()), query, key, value, y, logSumExp);
    backend.run(forward);
    return forward;
  }

  /** Overwrites the gradients of queries, keys and values, laid out as these. */
  private void attendBackward(AttentionForward forward, Tensor dy, List<Tensor> gradients) {
    try (Tensor delta = like(forward.logSumExp())) {
      backend.run(
          new AttentionBackward(
              forward, dy, gradients.get(0), gradients.get(1), gradients.get(2), delta));
    }
  }

  /**
   * Cross-entropy of tokens under the output layer, whose weight may be the tied embedding: logits
   * = h W^T + b, a chunk of rows at a time, so that at most {@value #LOGITS_AT_ONCE} logits (or one
   * row) are held.
   *
   * <p>When recording, the gradients are computed right here, while the logits of a chunk are at
   * hand; the backward pass then only passes on the gradient of {@code hidden}.
   *
   * @param hidden [R, C]
   * @param output from C to V
   */
  public void crossEntropy(Variable hidden, Linear output, Targets targets) {
    int rows = hidden.value().rows();
    int chunk = logitRows(rows, output.columns());
    Tensor dHidden = tape.recording() ? like(hidden.value()) : null;
    for (int first = 0; first < rows; first += chunk) {
      int count = Math.min(chunk, rows - first);
      Variable part = Variable.intermediate(hidden.value().rows(first, count));
      try (Tensor logits = backend.floats(count, output.columns())) {
        run(product(part, output, logits, null));
        score(logits, targets, first);
        if (tape.recording()) {
          linearBackward(part, output, logits, dHidden.rows(first, count), false);
        }
      }
    }
    if (tape.recording()) {
      tape.record(List.of(), List.of(dHidden), () -> tape.contribute(hidden, dHidden.share()));
    }
  }

  /**
   * Losses and hits of rows from {@code first} on; logits become their gradients when recording.
   */
  private void score(Tensor logits, Targets targets, int first) {
    Tensor ids = targets.ids().view(first, logits.rows());
    if (targets.hits() != null) {
      backend.run(new TopHits(logits, ids, targets.hits().view(first, logits.rows())));
    }
    Tensor losses = targets.losses().view(first, logits.rows());
    backend.run(new SoftmaxCrossEntropy(logits, ids, losses, targets.scale(), tape.recording()));
  }

  /** Rows of a chunk of logits: all chunks are alike, for a small last one would be slow. */
  public static int logitRows(int rows, int vocabulary) {
    long most = Math.max(1, LOGITS_AT_ONCE / vocabulary);
    long chunks = (rows + most - 1) / most;
    return (int) ((rows + chunks - 1) / chunks);
  }

  private Tensor like(Tensor tensor) {
    return backend.allocate(tensor.dtype(), tensor.shape());
  }
}
