package org.sparkformer.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Tensor;
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
import org.sparkformer.tensor.ops.ExactGelu;
import org.sparkformer.tensor.ops.ExactGeluBackward;
import org.sparkformer.tensor.ops.GeluBackward;
import org.sparkformer.tensor.ops.LayerNormBackward;
import org.sparkformer.tensor.ops.LayerNormForward;
import org.sparkformer.tensor.ops.LayerNormWeightBackward;
import org.sparkformer.tensor.ops.MatMul;
import org.sparkformer.tensor.ops.Operation;
import org.sparkformer.tensor.ops.Projection;
import org.sparkformer.tensor.ops.SoftmaxCrossEntropy;

/** The operations of one training step at a model's shape; owns their tensors. */
final class KernelCases implements AutoCloseable {
  private static final String FORWARD = "forward";
  private static final String BACKWARD = "backward";

  /** Rows of one chunk of logits, as the training step takes them. */
  private static final int LOGIT_ROWS = 512;

  private final Backend backend;
  private final ModelShape model;
  private final DType operands;
  private final List<Tensor> tensors = new ArrayList<>();
  private final List<KernelCase> cases = new ArrayList<>();
  private final Random random = new Random(7);

  /**
   * @param operands what products, those of attention too, take their operands as
   */
  KernelCases(Backend backend, ModelShape model, DType operands) {
    this.backend = backend;
    this.model = model;
    this.operands = operands;
  }

  List<KernelCase> all() {
    int c = model.width();
    linear("qkv", model.rows(), 3 * c, c);
    linear("attention projection", model.rows(), c, c);
    feedForward();
    linear("feed-forward out", model.rows(), c, 4 * c);
    head();
    attention();
    layerNorm();
    embedding();
    elementwise();
    return List.copyOf(cases);
  }

  private void linear(String name, int m, int n, int k) {
    Tensor x = floats(m, k);
    Tensor w = floats(k, n);
    Tensor y = floats(m, n);
    Tensor bias = floats(n);
    product(name, FORWARD, new MatMul(x, w, y, false, false, false, bias, null, DType.FLOAT32));
    product(name + " dX", BACKWARD, MatMul.of(y, w, x, false, true));
    product(name + " dW", BACKWARD, MatMul.adding(x, y, w, true, false));
  }

  private void feedForward() {
    int c = model.width();
    Tensor x = floats(model.rows(), c);
    Tensor w = floats(c, 4L * c);
    Tensor y = floats(model.rows(), 4L * c);
    Tensor bias = floats(4L * c);
    Tensor activated = floats(model.rows(), 4L * c);
    boolean fused = model.causal();
    product(
        fused ? "feed-forward in + GELU" : "feed-forward in",
        FORWARD,
        new MatMul(x, w, y, false, false, false, bias, fused ? activated : null, DType.FLOAT32));
    product("feed-forward in dX", BACKWARD, MatMul.of(y, w, x, false, true));
    product("feed-forward in dW", BACKWARD, MatMul.adding(x, y, w, true, false));
    if (fused) {
      moved("GELU", BACKWARD, new GeluBackward(y, activated, activated), y.size(), 3);
    } else {
      moved("exact GELU", FORWARD, new ExactGelu(y, activated), y.size(), 2);
      moved("exact GELU", BACKWARD, new ExactGeluBackward(y, activated, activated), y.size(), 3);
    }
  }

  private void head() {
    int rows = Math.min(model.rows(), LOGIT_ROWS);
    Tensor hidden = floats(rows, model.width());
    Tensor weight = floats(model.vocabulary(), model.width());
    Tensor logits = floats(rows, model.vocabulary());
    Tensor losses = floats(rows);
    Tensor targets = tokens(rows, 1);
    product("logits", FORWARD, MatMul.of(hidden, weight, logits, false, true));
    product("logits dX", BACKWARD, MatMul.of(logits, weight, hidden, false, false));
    product("logits dW", BACKWARD, MatMul.adding(logits, hidden, weight, true, false));
    moved(
        "softmax cross-entropy",
        FORWARD + "+" + BACKWARD,
        new SoftmaxCrossEntropy(logits, targets.reshape(rows), losses, 1e-3f, true),
        logits.size(),
        2);
  }

  private void product(String name, String direction, MatMul operation) {
    double flops = 2.0 * operation.batch() * operation.m() * operation.n() * operation.k();
    double bytes = operation.a().bytes() + operation.b().bytes() + operation.c().bytes();
    String shape = operation.m() + "x" + operation.n() + "x" + operation.k();
    add("matmul " + name, shape, direction, operation.with(operands), flops, bytes);
  }

  private void attention() {
    int rows = model.rows();
    int c = model.width();
    int t = model.length();
    Tensor qkv = floats(rows, 3L * c);
    Tensor y = floats(rows, c);
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
    add("attention", shape, FORWARD, forward, 2 * product, 4.0 * rows * c * 4);
    Tensor dQkv = floats(rows, 3L * c);
    Tensor delta = floats(model.batch(), model.heads(), t);
    AttentionBackward backward = new AttentionBackward(forward, y, dQkv, dQkv, dQkv, delta);
    add("attention", shape, BACKWARD, backward, 5 * product, 8.0 * rows * c * 4);
  }

  private void layerNorm() {
    int rows = model.rows();
    int c = model.width();
    Tensor x = floats(rows, c);
    Tensor branch = floats(rows, c);
    Tensor sum = floats(rows, c);
    Tensor y = floats(rows, c);
    Tensor weight = floats(c);
    Tensor bias = floats(c);
    Tensor mean = floats(rows);
    Tensor rstd = floats(rows);
    moved(
        "residual + layer norm",
        FORWARD,
        new LayerNormForward(x, branch, sum, weight, bias, y, mean, rstd, 1e-5f),
        x.size(),
        4);
    moved(
        "residual + layer norm",
        BACKWARD,
        new LayerNormBackward(y, x, weight, mean, rstd, branch, sum),
        x.size(),
        4);
    moved(
        "layer norm weights",
        BACKWARD,
        new LayerNormWeightBackward(y, x, mean, rstd, weight, bias),
        x.size(),
        2);
    moved("bias", BACKWARD, new ColumnSum(x, bias), x.size(), 1);
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
        y.size(),
        2);
    moved(
        "embedding",
        BACKWARD,
        new EmbeddingBackward(tokens, y, tokenWeight, positionWeight),
        y.size(),
        3);
  }

  private void elementwise() {
    Tensor x = floats(model.rows(), model.width());
    Tensor y = floats(model.rows(), model.width());
    moved("add", FORWARD, new Add(x, y, y), x.size(), 3);
    moved("dropout", FORWARD, new DropoutApply(x, y, new Dropout(0.2f, 1, 1, 1, 0)), x.size(), 2);
    long size = 12L * model.width() * model.width();
    Tensor parameters = floats(size);
    Tensor squaredNorm = floats(1);
    moved(
        "AdamW",
        BACKWARD,
        new AdamW(
            parameters,
            floats(size),
            floats(size),
            floats(size),
            squaredNorm,
            new AdamW.Settings(1e-3f, 0.9f, 0.95f, 1e-8f, 0.1f, size, 1f, 1)),
        size,
        7);
    moved(
        "squared norm",
        BACKWARD,
        new BlockSum(parameters, floats(BlockSum.blocks(size)), true),
        size,
        1);
  }

  private void moved(String op, String direction, Operation operation, long size, int passes) {
    add(op, Long.toString(size), direction, operation, 0, 4.0 * size * passes);
  }

  private void add(
      String op, String shape, String direction, Operation operation, double flops, double bytes) {
    cases.add(new KernelCase(op, model.name() + " " + shape, direction, operation, flops, bytes));
  }

  private Tensor floats(long... extents) {
    Tensor tensor = backend.floats(extents);
    tensors.add(tensor);
    float[] values = new float[Math.toIntExact(tensor.size())];
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextFloat() * 0.1f;
    }
    backend.write(tensor, values);
    return tensor;
  }

  private Tensor tokens(int rows, int columns) {
    Tensor tensor = backend.ints(rows, columns);
    tensors.add(tensor);
    backend.write(tensor, random.ints((long) rows * columns, 0, model.vocabulary()).toArray());
    return tensor;
  }

  @Override
  public void close() {
    tensors.forEach(Tensor::close);
  }
}
