package org.sparkformer.tensor.autograd;

import java.util.List;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Attention;
import org.sparkformer.tensor.ops.Dropout;
import org.sparkformer.tensor.ops.MatMul;

/**
 * Differentiable functions: each runs its forward operations and records its hand-written backward
 * pass on a tape. This is all that a model sees of them; they are written down by subject, in
 * {@link Embeddings}, {@link AffineMaps}, {@link FeedForwards}, {@link ElementFunctions}, {@link
 * LayerNorms}, {@link Attentions} and {@link CrossEntropy}.
 *
 * <p>Shapes: B sequences of T positions, R = B T rows, C columns.
 */
public final class Functions {
  private final Tape tape;

  public Functions(Tape tape) {
    this.tape = tape;
  }

  /**
   * A layer normalisation's parameters.
   *
   * @param weight [C]
   * @param bias [C]
   */
  public record Norm(Variable weight, Variable bias, float epsilon) {}

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

    int columns() {
      return transposed ? weight.value().rows() : weight.value().columns();
    }
  }

  /**
   * The parameters of a feed-forward layer, two affine maps with GELU between them.
   *
   * @param exact GELU as BERT has it, by the normal distribution itself, not its approximation by
   *     tanh
   */
  public record FeedForward(Linear in, Linear out, boolean exact) {}

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
    return new Embeddings(tape).embedding(tokens, tokenWeight, positionWeight, firstPosition);
  }

  /**
   * Rows of a table by their numbers.
   *
   * @param numbers int32, of any shape with R elements
   * @param table [V, C], a parameter or what was computed
   * @return [R, C]
   */
  public Variable gather(Tensor numbers, Variable table) {
    return new Embeddings(tape).gather(numbers, table);
  }

  /** The first row of a parameter [V, C], repeated: [rows, C]. */
  public Variable repeated(Variable table, int rows) {
    return new Embeddings(tape).repeated(table, rows);
  }

  /**
   * Drops elements, in place; the identity where the probability is 0.
   *
   * @param x whose value nothing else may read: what put it out must not need it to run backward
   */
  public Variable dropout(Variable x, Dropout dropout) {
    return new ElementFunctions(tape).dropout(x, dropout);
  }

  /** y = x W + b: [R, in] to [R, out], fp32. */
  public Variable linear(Variable x, Linear linear) {
    return new AffineMaps(tape).linears(x, List.of(linear), DType.FLOAT32).get(0);
  }

  /** As {@link #linear}, for attention or GELU to read: in the type of the tape's operands. */
  public Variable projection(Variable x, Linear linear) {
    return projections(x, List.of(linear)).get(0);
  }

  /** As {@link #projection}, several maps of the same rows, all of which have to be used. */
  public List<Variable> projections(Variable x, List<Linear> linears) {
    return new AffineMaps(tape).linears(x, linears, tape.operands());
  }

  /**
   * GELU(x W + b) W' + b': [R, in] to [R, out], fp32. Of what lies between, the input of GELU alone
   * is kept for the backward pass.
   */
  public Variable feedForward(Variable x, FeedForward layer) {
    return new FeedForwards(tape).of(x, layer);
  }

  /** GELU(x W + b) as BERT has it, by the normal distribution itself: [R, in] to [R, out], fp32. */
  public Variable exactGelu(Variable x, Linear linear) {
    return new AffineMaps(tape).exactGelu(x, linear);
  }

  /**
   * Layer normalisation of x + branch.
   *
   * @param branch null, then the sum is x itself; else its value is given back, for nothing else to
   *     read
   */
  public Normalized layerNorm(Variable x, Variable branch, Norm norm) {
    return layerNorm(x, branch, Dropout.NONE, norm);
  }

  /**
   * As {@link #layerNorm(Variable, Variable, Norm)}, after dropout of the branch.
   *
   * @param dropout {@link Dropout#NONE} where there is no branch
   */
  public Normalized layerNorm(Variable x, Variable branch, Dropout dropout, Norm norm) {
    return new LayerNorms(tape).layerNorm(x, branch, dropout, norm, DType.FLOAT32);
  }

  /**
   * As {@link #layerNorm(Variable, Variable, Dropout, Norm)}, of rows that products alone read: in
   * the type of their operands.
   */
  public Normalized preNorm(Variable x, Variable branch, Dropout dropout, Norm norm) {
    return new LayerNorms(tape).layerNorm(x, branch, dropout, norm, tape.operands());
  }

  /**
   * Self-attention over packed queries, keys and values: [R, 3 C] to [R, C].
   *
   * @param qkv what a product gave out, read by nothing else: its gradient comes in the type of
   *     that product's operands
   */
  public Variable selfAttention(Variable qkv, Attention attention) {
    return new Attentions(tape).selfAttention(qkv, attention);
  }

  /** Self-attention over queries, keys and values, [R, C] each, to [R, C]. */
  public Variable attention(Variable query, Variable key, Variable value, Attention attention) {
    return new Attentions(tape).attention(query, key, value, attention);
  }

  /**
   * Cross-entropy of tokens under the output layer, whose weight may be the tied embedding: logits
   * = h W^T + b, a chunk of rows at a time, so that no more than 2^25 logits (or one row) are held,
   * 2^28 on an accelerator, where one tensor may be so large.
   *
   * <p>When recording, the gradients are computed right here, while the logits of a chunk are at
   * hand; the backward pass then only passes on the gradient of {@code hidden}.
   *
   * @param hidden [R, C]
   * @param output from C to V
   */
  public void crossEntropy(Variable hidden, Linear output, Targets targets) {
    new CrossEntropy(tape).of(hidden, output, targets);
  }

  /**
   * Bytes of a row of logits of a layer whose weight is transposed.
   *
   * @param type in which the backend takes their gradient
   */
  public static long logitBytes(int vocabulary, DType type) {
    return type == DType.FLOAT32
        ? (long) vocabulary * Float.BYTES
        : (long) MatMul.filledUp(vocabulary) * type.bytes();
  }

  /**
   * Rows of a chunk of logits: all chunks are alike, for a small last one would be slow.
   *
   * @param accelerator whether the backend is one
   * @param largestTensorBytes of the backend, which only accelerators are held to here: one row may
   *     be larger
   */
  public static int logitRows(
      int rows, int vocabulary, boolean accelerator, long largestTensorBytes) {
    return CrossEntropy.logitRows(rows, vocabulary, accelerator, largestTensorBytes);
  }
}
