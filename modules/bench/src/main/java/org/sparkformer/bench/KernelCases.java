package org.sparkformer.bench;

import java.util.ArrayList;
import java.util.List;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.autograd.Functions;
import org.sparkformer.tensor.ops.AdamW;
import org.sparkformer.tensor.ops.Add;
import org.sparkformer.tensor.ops.Attention;
import org.sparkformer.tensor.ops.AttentionBackward;
import org.sparkformer.tensor.ops.AttentionForward;
import org.sparkformer.tensor.ops.BlockSum;
import org.sparkformer.tensor.ops.ColumnSum;
import org.sparkformer.tensor.ops.Dropout;
import org.sparkformer.tensor.ops.DropoutApply;
import org.sparkformer.tensor.ops.EmbeddingBackward;
import org.sparkformer.tensor.ops.EmbeddingForward;
import org.sparkformer.tensor.ops.ExactGeluBackward;
import org.sparkformer.tensor.ops.GeluBackward;
import org.sparkformer.tensor.ops.LayerNormBackward;
import org.sparkformer.tensor.ops.LayerNormForward;
import org.sparkformer.tensor.ops.LayerNormWeightBackward;
import org.sparkformer.tensor.ops.MatMul;
import org.sparkformer.tensor.ops.Operation;
import org.sparkformer.tensor.ops.Projection;
import org.sparkformer.tensor.ops.SoftmaxCrossEntropy;

/**
 * The operations of one training step at a model's shape, on tensors of the types that a step has;
 * owns these.
 */
final class KernelCases implements AutoCloseable {
  private static final String FORWARD = "forward";
  private static final String BACKWARD = "backward";
  private static final Dropout DROPOUT = new Dropout(0.2f, 1, 1, 1, 0);

  private final DrawnTensors tensors;
  private final Backend backend;
  private final ModelShape model;
  private final DType operands;
  private final List<KernelCase> cases = new ArrayList<>();

  /**
   * @param operands what products, those of attention too, take their operands as, and what is kept
   *     of what they, attention and GELU read
   */
  KernelCases(Backend backend, ModelShape model, DType operands) {
    this.tensors = new DrawnTensors(backend);
    this.backend = backend;
    this.model = model;
    this.operands = operands;
  }

  List<KernelCase> all() {
    int c = model.width();
    projections();
    linear("attention projection", operand(model.rows(), c), floats(model.rows(), c));
    feedForward();
    linear("feed-forward out", operand(model.rows(), 4L * c), floats(model.rows(), c));
    head();
    attention();
    layerNorm();
    embedding();
    elementwise();
    optimizer();
    return List.copyOf(cases);
  }

  /** A BERT has one each for queries, keys and values, whose gradients add up. */
  private void projections() {
    long c = model.width();
    if (model.causal()) {
      linear("qkv", normalized(), operand(model.rows(), 3 * c));
      return;
    }
    linear("query", normalized(), operand(model.rows(), c));
    MatMul added =
        MatMul.adding(
            floats(model.rows(), c), operand(c, c), floats(model.rows(), c), false, false);
    product("key dX, added", BACKWARD, added);
  }

  private void linear(String name, Tensor x, Tensor y) {
    linear(name, x, y, null);
  }

  /** A GPT's matrices are [in, out], a BERT's [out, in], and its GELU is exact. */
  private void linear(String name, Tensor x, Tensor y, Tensor activated) {
    boolean transposed = !model.causal();
    int in = x.columns();
    int out = y.columns();
    Tensor w = transposed ? operand(out, in) : operand(in, out);
    Tensor dw = floats(w.rows(), w.columns());
    Tensor dy = floats(y.rows(), out);
    product(
        activated == null ? name : name + " + " + gelu(),
        FORWARD,
        new MatMul(
            x,
            w,
            y,
            false,
            transposed,
            false,
            floats(out),
            activated,
            activated != null && !model.causal(),
            DType.FLOAT32));
    product(name + " dX", BACKWARD, MatMul.of(dy, w, floats(x.rows(), in), false, !transposed));
    product(
        name + " dW",
        BACKWARD,
        MatMul.adding(transposed ? dy : x, transposed ? x : dy, dw, true, false));
  }

  private void feedForward() {
    long columns = 4L * model.width();
    Tensor y = operand(model.rows(), columns);
    Tensor activated = operand(model.rows(), columns);
    Tensor gradient = floats(model.rows(), columns);
    linear("feed-forward in", normalized(), y, activated);
    moved(
        gelu(),
        BACKWARD,
        model.causal()
            ? new GeluBackward(y, gradient, gradient, activated)
            : new ExactGeluBackward(y, gradient, gradient, activated),
        y,
        activated,
        gradient,
        gradient);
  }

  private String gelu() {
    return model.causal() ? "GELU" : "exact GELU";
  }

  /** One chunk of logits, as the training step takes them. */
  private void head() {
    int predicted = model.predicted();
    int rows =
        Functions.logitRows(
            predicted, model.vocabulary(), backend.isAccelerator(), backend.largestTensorBytes());
    if (!model.causal()) {
      Tensor activated = floats(predicted, model.width());
      linear(
          "head transform",
          floats(predicted, model.width()),
          floats(predicted, model.width()),
          activated);
    }
    Tensor hidden = normalized().rows(0, rows);
    Tensor weight = operand(model.vocabulary(), model.width());
    Tensor gradient = floats(model.vocabulary(), model.width());
    Tensor logits = floats(rows, model.vocabulary());
    Tensor losses = floats(rows);
    Tensor targets = tokens(rows, 1);
    Tensor bias = model.causal() ? null : floats(model.vocabulary());
    product(
        "logits",
        FORWARD,
        new MatMul(hidden, weight, logits, false, true, false, bias, null, false, DType.FLOAT32));
    Tensor dHidden = floats(rows, model.width());
    product("logits dX", BACKWARD, MatMul.of(logits, weight, dHidden, false, false));
    product("logits dW", BACKWARD, MatMul.adding(logits, hidden, gradient, true, false));
    moved(
        "softmax cross-entropy",
        FORWARD + "+" + BACKWARD,
        new SoftmaxCrossEntropy(
            logits, targets.reshape(rows), losses, logits.columns(), 1e-3f, true),
        logits,
        logits);
  }

  private void product(String name, String direction, MatMul operation) {
    cases.add(KernelCase.product(model.name(), name, direction, operation.with(operands)));
  }

  private void attention() {
    int rows = model.rows();
    int c = model.width();
    int t = model.length();
    Tensor qkv = operand(rows, 3L * c);
    Tensor y = operand(rows, c);
    Tensor logSumExp = floats(model.batch(), model.heads(), t);
    Attention attention =
        new Attention(
            model.batch(),
            model.heads(),
            model.headSize(),
            t,
            t,
            0,
            model.causal(),
            null,
            Dropout.NONE);
    AttentionForward forward =
        new AttentionForward(
            attention.with(operands),
            new Projection(qkv, 0, t),
            new Projection(qkv, c, t),
            new Projection(qkv, 2 * c, t),
            y,
            logSumExp);
    double pairs = model.causal() ? t * (t + 1.0) / 2 : (double) t * t;
    double product = 2.0 * model.batch() * c * pairs;
    String shape = model.batch() + "x" + model.heads() + "x" + t + "x" + model.headSize();
    add("attention", shape, FORWARD, forward, 2 * product, KernelCase.bytes(qkv, y));
    Tensor dy = floats(rows, c);
    Tensor dQkv = floats(rows, 3L * c);
    Tensor delta = floats(model.batch(), model.heads(), t);
    AttentionBackward backward = new AttentionBackward(forward, dy, dQkv, dQkv, dQkv, delta);
    add("attention", shape, BACKWARD, backward, 5 * product, KernelCase.bytes(qkv, y, dy, dQkv));
  }

  /** A GPT's stream goes on beside the norm, and has a gradient to be added to. */
  private void layerNorm() {
    int rows = model.rows();
    int c = model.width();
    Tensor x = floats(rows, c);
    Tensor branch = floats(rows, c);
    Tensor sum = floats(rows, c);
    Tensor y = normalized();
    Tensor dy = floats(rows, c);
    Tensor weight = floats(c);
    Tensor bias = floats(c);
    Tensor mean = floats(rows);
    Tensor rstd = floats(rows);
    Tensor past = model.causal() ? branch : null;
    moved(
        "residual + layer norm",
        FORWARD,
        new LayerNormForward(x, branch, sum, weight, bias, y, mean, rstd, 1e-5f),
        x,
        branch,
        sum,
        y);
    moved(
        "residual + layer norm",
        BACKWARD,
        new LayerNormBackward(dy, x, weight, mean, rstd, past, sum),
        dy,
        x,
        past,
        sum);
    Tensor added = floats(rows, c);
    moved(
        "residual + dropout + layer norm",
        FORWARD,
        new LayerNormForward(x, branch, sum, weight, bias, y, mean, rstd, 1e-5f, DROPOUT),
        x,
        branch,
        sum,
        y);
    moved(
        "residual + dropout + layer norm",
        BACKWARD,
        new LayerNormBackward(dy, x, weight, mean, rstd, past, sum, added, DROPOUT),
        dy,
        x,
        past,
        sum,
        added);
    moved(
        "layer norm weights",
        BACKWARD,
        new LayerNormWeightBackward(dy, x, mean, rstd, weight, bias),
        dy,
        x);
    moved("bias", BACKWARD, new ColumnSum(dy, bias), dy);
  }

  private void embedding() {
    int c = model.width();
    Tensor tokens = tokens(model.batch(), model.length());
    Tensor tokenWeight = floats(model.vocabulary(), c);
    Tensor positionWeight = floats(model.length(), c);
    Tensor y = floats(model.rows(), c);
    moved(
        "embedding",
        FORWARD,
        new EmbeddingForward(tokens, tokenWeight, positionWeight, y, 0),
        y,
        y);
    moved(
        "embedding",
        BACKWARD,
        new EmbeddingBackward(tokens, y, tokenWeight, positionWeight),
        y,
        y,
        y);
  }

  private void elementwise() {
    Tensor x = floats(model.rows(), model.width());
    Tensor y = floats(model.rows(), model.width());
    moved("add", FORWARD, new Add(x, y, y), x, y, y);
    Tensor branch = floats(model.rows(), model.width());
    moved("dropout", FORWARD, new DropoutApply(branch, branch, DROPOUT), branch, branch);
    moved("dropout", BACKWARD, new DropoutApply(x, y, DROPOUT), x, y);
  }

  private void optimizer() {
    long size = 12L * model.width() * model.width();
    Tensor parameters = floats(size);
    Tensor gradients = floats(size);
    Tensor first = floats(size);
    Tensor second = floats(size);
    Tensor rounded = operands == DType.FLOAT32 ? null : operand(size);
    AdamW.Settings settings = new AdamW.Settings(1e-3f, 0.9f, 0.95f, 1e-8f, 0.1f, size, 1f, 1);
    moved(
        "AdamW",
        BACKWARD,
        new AdamW(parameters, gradients, first, second, rounded, floats(1), settings),
        parameters,
        parameters,
        gradients,
        first,
        first,
        second,
        second,
        rounded);
    moved(
        "squared norm",
        BACKWARD,
        new BlockSum(parameters, floats(BlockSum.blocks(size)), true),
        parameters);
  }

  /**
   * @param passes what is read and what is written, one after the other; null for none
   */
  private void moved(String op, String direction, Operation operation, Tensor... passes) {
    add(op, Long.toString(passes[0].size()), direction, operation, 0, KernelCase.bytes(passes));
  }

  private void add(
      String op, String shape, String direction, Operation operation, double flops, double bytes) {
    cases.add(new KernelCase(op, model.name() + " " + shape, direction, operation, flops, bytes));
  }

  /** Rows behind a layer norm: a BERT's are its stream. */
  private Tensor normalized() {
    return model.causal()
        ? operand(model.rows(), model.width())
        : floats(model.rows(), model.width());
  }

  /** What products, attention and GELU read. */
  private Tensor operand(long... extents) {
    return tensors.of(operands, extents);
  }

  private Tensor floats(long... extents) {
    return tensors.floats(extents);
  }

  private Tensor tokens(int rows, int columns) {
    return tensors.tokens(model.vocabulary(), rows, columns);
  }

  @Override
  public void close() {
    tensors.close();
  }
}
