package org.sparkformer.models;

import java.util.List;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.autograd.Functions;
import org.sparkformer.tensor.autograd.Functions.FeedForward;
import org.sparkformer.tensor.autograd.Functions.Linear;
import org.sparkformer.tensor.autograd.Functions.Norm;
import org.sparkformer.tensor.autograd.Tape;
import org.sparkformer.tensor.autograd.Variable;
import org.sparkformer.tensor.ops.Attention;
import org.sparkformer.tensor.ops.Dropout;

/**
 * BERT (Devlin et al., arXiv:1810.04805): embeddings of tokens, learned positions and token types
 * with a layer norm, post-norm blocks of attention to both sides and an exact-GELU feed-forward
 * layer, and the head that predicts masked tokens, whose output matrix is the token embedding. The
 * prediction of the next sentence is left out, as in RoBERTa (Liu et al., arXiv:1907.11692, section
 * 4.2). Names and layouts of the parameters are those of Hugging Face's BertForMaskedLM: matrices
 * are [out, in].
 *
 * <p>Shapes: B sequences of T tokens, R = B T rows, C = width, V = vocabulary.
 */
public final class Bert extends Transformer {
  private static final float EPSILON = 1e-12f;
  private static final double DEVIATION = 0.02;
  private static final int TOKEN_TYPES = 2;
  private static final String EMBEDDINGS = "bert.embeddings.";
  private static final String WORDS = EMBEDDINGS + "word_embeddings.weight";
  private static final String HEAD = "cls.predictions.";

  /**
   * Binds the model to its parameters; the caller keeps both vectors.
   *
   * @param parameters flat, of {@code layout(configuration).size()} elements
   * @param gradients null for inference, else flat and at least of that size; backward adds to it
   */
  public Bert(BertConfiguration configuration, Tensor parameters, Tensor gradients) {
    this(configuration, ParameterStore.flat(layout(configuration), parameters, gradients));
  }

  /** A model whose parameters are wherever the store has them when a pass comes to them. */
  public Bert(BertConfiguration configuration, ParameterStore parameters) {
    super(configuration, parameters, "", EPSILON);
  }

  /** Every parameter with its name, shape, initial distribution and place. */
  public static ParameterLayout layout(BertConfiguration configuration) {
    int width = configuration.width();
    LayoutBuilder all = new LayoutBuilder("");
    all.matrix(WORDS, configuration.vocabularySize(), width, DEVIATION);
    all.matrix(
        EMBEDDINGS + "position_embeddings.weight", configuration.context(), width, DEVIATION);
    all.matrix(EMBEDDINGS + "token_type_embeddings.weight", TOKEN_TYPES, width, DEVIATION);
    all.norm(EMBEDDINGS + "LayerNorm", width);
    for (int layer = 0; layer < configuration.layers(); layer++) {
      all.block(layer);
      addBlock(all, block(layer), width);
    }
    all.behindBlocks();
    addLinear(all, HEAD + "transform.dense", width, width);
    all.norm(HEAD + "transform.LayerNorm", width);
    all.vector(HEAD + "bias", configuration.vocabularySize(), 0);
    return all.build();
  }

  private static String block(int layer) {
    return "bert.encoder.layer." + layer + ".";
  }

  private static void addBlock(LayoutBuilder all, String block, int width) {
    addLinear(all, block + "attention.self.query", width, width);
    addLinear(all, block + "attention.self.key", width, width);
    addLinear(all, block + "attention.self.value", width, width);
    addLinear(all, block + "attention.output.dense", width, width);
    all.norm(block + "attention.output.LayerNorm", width);
    addLinear(all, block + "intermediate.dense", width, 4 * width);
    addLinear(all, block + "output.dense", 4 * width, width);
    all.norm(block + "output.LayerNorm", width);
  }

  private static void addLinear(LayoutBuilder all, String name, int in, int out) {
    all.matrix(name + ".weight", out, in, DEVIATION);
    all.vector(name + ".bias", out, 0);
  }

  /**
   * Sequences to be encoded.
   *
   * @param tokens int32 [B, T]
   * @param types null, or int32 [B, T]: 0 or 1 for each token; all 0 where null
   * @param lengths null, or int32 [B]: tokens of each sequence before its padding, at least 1; no
   *     padding where null
   */
  public record Input(Tensor tokens, Tensor types, Tensor lengths) {
    /** Sequences of one segment that fill their length. */
    public static Input of(Tensor tokens) {
      return new Input(tokens, null, null);
    }
  }

  /** Masked tokens of sequences of one segment that fill their length. */
  @Override
  public void loss(Tape tape, Batch batch, float scale, DropoutSites dropouts) {
    loss(tape, Input.of(batch.tokens()), batch, scale, dropouts);
  }

  /** As above, with the tokens of {@code input}. */
  void loss(Tape tape, Input input, Batch batch, float scale, DropoutSites dropouts) {
    Functions functions = new Functions(tape);
    Variable hidden = hidden(tape, input, dropouts);
    Variable predicted = batch.rows() == null ? hidden : functions.gather(batch.rows(), hidden);
    functions.crossEntropy(
        transformed(functions, predicted),
        Linear.transposed(parameter(WORDS), parameter(HEAD + "bias")),
        batch.targets(scale));
  }

  private Variable transformed(Functions functions, Variable hidden) {
    Variable activated = functions.exactGelu(hidden, linear(HEAD + "transform.dense"));
    return functions.layerNorm(activated, null, norm(HEAD + "transform.LayerNorm")).normalized();
  }

  /** The last block's output [R, C]; rows of padding hold numbers without a meaning. */
  public Variable hidden(Tape tape, Input input, DropoutSites sites) {
    SequenceDropouts dropouts =
        new SequenceDropouts(sites, configuration(), input.tokens().columns());
    Functions functions = new Functions(tape);
    List<Variable> stream =
        run(
            (inner, layer, in) -> List.of(block(inner, layer, in.get(0), input, dropouts)),
            tape,
            functions.dropout(embedded(functions, input), dropouts.embedding()));
    return stream.get(0);
  }

  private Variable embedded(Functions functions, Input input) {
    Variable words =
        functions.embedding(
            input.tokens(), parameter(WORDS), embeddings("position_embeddings.weight"), 0);
    Variable types = embeddings("token_type_embeddings.weight");
    Variable typed =
        input.types() == null
            ? functions.repeated(types, words.value().rows())
            : functions.gather(input.types(), types);
    return functions.layerNorm(words, typed, norm(EMBEDDINGS + "LayerNorm")).normalized();
  }

  private Variable embeddings(String name) {
    return parameter(EMBEDDINGS + name);
  }

  private Variable block(Tape tape, int layer, Variable x, Input input, SequenceDropouts dropouts) {
    Functions functions = new Functions(tape);
    String name = block(layer);
    Attention attention = attention(input, dropouts.attention(layer));
    Variable heads = attended(functions, name + "attention.self.", x, attention);
    Variable mixed = functions.linear(heads, linear(name + "attention.output.dense"));
    Norm inner = norm(name + "attention.output.LayerNorm");
    Variable middle =
        functions.layerNorm(x, mixed, dropouts.attentionBranch(layer), inner).normalized();
    FeedForward feedForward =
        new FeedForward(linear(name + "intermediate.dense"), linear(name + "output.dense"), true);
    Variable branch = functions.feedForward(middle, feedForward);
    Norm outer = norm(name + "output.LayerNorm");
    return functions
        .layerNorm(middle, branch, dropouts.feedForwardBranch(layer), outer)
        .normalized();
  }

  private Variable attended(Functions functions, String name, Variable x, Attention attention) {
    List<Variable> projected =
        functions.projections(
            x, List.of(linear(name + "query"), linear(name + "key"), linear(name + "value")));
    return functions.attention(projected.get(0), projected.get(1), projected.get(2), attention);
  }

  /** Every position looks at every other one of its sequence, but for padding. */
  private Attention attention(Input input, Dropout dropout) {
    Tensor tokens = input.tokens();
    int length = tokens.columns();
    return new Attention(
        tokens.rows(),
        configuration().heads(),
        configuration().headWidth(),
        length,
        length,
        0,
        false,
        input.lengths(),
        dropout);
  }

  private Linear linear(String name) {
    return Linear.transposed(parameter(name + ".weight"), parameter(name + ".bias"));
  }
}
