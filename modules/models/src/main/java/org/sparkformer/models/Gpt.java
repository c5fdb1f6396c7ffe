package org.sparkformer.models;

import java.util.List;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.autograd.Functions;
import org.sparkformer.tensor.autograd.Functions.FeedForward;
import org.sparkformer.tensor.autograd.Functions.Linear;
import org.sparkformer.tensor.autograd.Functions.Normalized;
import org.sparkformer.tensor.autograd.Tape;
import org.sparkformer.tensor.autograd.Variable;
import org.sparkformer.tensor.ops.Attention;
import org.sparkformer.tensor.ops.Dropout;

/**
 * GPT-2's architecture (Radford et al. 2019): token and learned position embeddings, pre-norm
 * blocks of causal self-attention and a GELU feed-forward layer, a last layer norm, and an output
 * matrix tied to the token embedding. Names and layouts of the parameters are those of Hugging
 * Face's GPT2LMHeadModel: matrices are [in, out].
 *
 * <p>Shapes: B sequences of T tokens, R = B T rows, C = width, V = vocabulary.
 */
public final class Gpt extends Transformer {
  private static final float EPSILON = 1e-5f;
  private static final double DEVIATION = 0.02;
  private static final String PREFIX = "transformer.";

  /**
   * Binds the model to its parameters; the caller keeps both vectors.
   *
   * @param parameters flat, of {@code layout(configuration).size()} elements
   * @param gradients null for inference, else flat and at least of that size; backward adds to it
   */
  public Gpt(GptConfiguration configuration, Tensor parameters, Tensor gradients) {
    this(configuration, ParameterStore.flat(layout(configuration), parameters, gradients));
  }

  /** A model whose parameters are wherever the store has them when a pass comes to them. */
  public Gpt(GptConfiguration configuration, ParameterStore parameters) {
    super(configuration, parameters, PREFIX, EPSILON);
  }

  /** Every parameter with its name, shape, initial distribution and place. */
  public static ParameterLayout layout(GptConfiguration configuration) {
    int width = configuration.width();
    // Two residual additions a block: their variances add up over depth (GPT-2, section 2.3).
    double residual = DEVIATION / Math.sqrt(2.0 * configuration.layers());
    LayoutBuilder all = new LayoutBuilder(PREFIX);
    all.matrix("wte.weight", configuration.vocabularySize(), width, DEVIATION);
    all.matrix("wpe.weight", configuration.context(), width, DEVIATION);
    for (int layer = 0; layer < configuration.layers(); layer++) {
      String block = block(layer);
      all.block(layer);
      all.norm(block + "ln_1", width);
      addLinear(all, block + "attn.c_attn", width, 3 * width, DEVIATION);
      addLinear(all, block + "attn.c_proj", width, width, residual);
      all.norm(block + "ln_2", width);
      addLinear(all, block + "mlp.c_fc", width, 4 * width, DEVIATION);
      addLinear(all, block + "mlp.c_proj", 4 * width, width, residual);
    }
    all.behindBlocks();
    all.norm("ln_f", width);
    return all.build();
  }

  private static String block(int layer) {
    return "h." + layer + ".";
  }

  private static void addLinear(LayoutBuilder all, String name, int in, int out, double deviation) {
    all.matrix(name + ".weight", in, out, deviation);
    all.vector(name + ".bias", out, 0);
  }

  /** The targets are the tokens that follow each. */
  @Override
  public void loss(Tape tape, Batch batch, float scale, DropoutSites dropouts) {
    Variable hidden = hidden(tape, batch.tokens(), dropouts);
    Linear output = Linear.transposed(parameter("wte.weight"), null);
    new Functions(tape).crossEntropy(hidden, output, batch.targets(scale));
  }

  /** The last layer norm's output [R, C]; logits are its product with the token embedding. */
  public Variable hidden(Tape tape, Tensor tokens, DropoutSites sites) {
    int length = tokens.columns();
    SequenceDropouts dropouts = new SequenceDropouts(sites, configuration(), length);
    int heads = configuration().heads();
    int headWidth = configuration().headWidth();
    Mixer mixer =
        (inner, layer, qkv) ->
            new Functions(inner)
                .selfAttention(
                    qkv,
                    Attention.causal(
                        tokens.rows(), length, heads, headWidth, dropouts.attention(layer)));
    return hidden(tape, tokens, 0, mixer, dropouts);
  }

  /** How positions look at each other: over whole sequences, or over a key/value cache. */
  @FunctionalInterface
  interface Mixer {
    /**
     * @param qkv packed queries, keys and values [R, 3 C]
     * @return [R, C]
     */
    Variable mix(Tape tape, int layer, Variable qkv);
  }

  /** As {@link #hidden(Tape, Tensor, DropoutSites)}, without dropout. */
  Variable hidden(Tape tape, Tensor tokens, int firstPosition, Mixer mixer) {
    SequenceDropouts none =
        new SequenceDropouts(DropoutSites.NONE, configuration(), tokens.columns());
    return hidden(tape, tokens, firstPosition, mixer, none);
  }

  /**
   * @param firstPosition position of each sequence's first token
   */
  private Variable hidden(
      Tape tape, Tensor tokens, int firstPosition, Mixer mixer, SequenceDropouts dropouts) {
    Functions functions = new Functions(tape);
    Variable embedded =
        functions.embedding(
            tokens, parameter("wte.weight"), parameter("wpe.weight"), firstPosition);
    List<Variable> stream =
        run(
            (inner, layer, in) -> block(inner, layer, in, mixer, dropouts),
            tape,
            functions.dropout(embedded, dropouts.embedding()));
    return preNorm(functions, configuration().layers(), stream, "ln_f", dropouts).normalized();
  }

  /**
   * One block. The residual stream travels as (stream, branch yet to be dropped from and added), so
   * that both are fused with the layer norm that follows.
   */
  private List<Variable> block(
      Tape tape, int layer, List<Variable> in, Mixer mixer, SequenceDropouts dropouts) {
    Functions functions = new Functions(tape);
    String name = block(layer);
    Normalized first = preNorm(functions, layer, in, name + "ln_1", dropouts);
    Variable qkv = functions.projection(first.normalized(), linear(name + "attn.c_attn"));
    Variable heads = mixer.mix(tape, layer, qkv);
    Variable mixed = functions.linear(heads, linear(name + "attn.c_proj"));
    Normalized second =
        functions.preNorm(first.sum(), mixed, dropouts.attentionBranch(layer), norm(name + "ln_2"));
    FeedForward feedForward =
        new FeedForward(linear(name + "mlp.c_fc"), linear(name + "mlp.c_proj"), false);
    return List.of(second.sum(), functions.feedForward(second.normalized(), feedForward));
  }

  /**
   * The layer norm before the attention of a layer, or behind the last: of the embedding alone in
   * layer 0.
   */
  private Normalized preNorm(
      Functions functions, int layer, List<Variable> in, String name, SequenceDropouts dropouts) {
    return layer == 0
        ? functions.preNorm(in.get(0), null, Dropout.NONE, norm(name))
        : functions.preNorm(
            in.get(0), in.get(1), dropouts.feedForwardBranch(layer - 1), norm(name));
  }

  private Linear linear(String name) {
    return new Linear(parameter(name + ".weight"), parameter(name + ".bias"));
  }
}
