package org.sparkformer.models;

import java.util.ArrayList;
import java.util.List;
import org.sparkformer.models.ParameterLayout.Parameter;
import org.sparkformer.tensor.Shape;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.autograd.Functions;
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
public final class Gpt implements LanguageModel {
  private static final float EPSILON = 1e-5f;
  private static final double DEVIATION = 0.02;
  private static final String PREFIX = "transformer.";

  private final GptConfiguration configuration;
  private final ParameterLayout layout;
  private final ParameterStore parameters;

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
    this.configuration = configuration;
    this.layout = layout(configuration);
    this.parameters = parameters;
  }

  /** Every parameter with its name, shape, initial distribution and place. */
  public static ParameterLayout layout(GptConfiguration configuration) {
    int width = configuration.width();
    // Two residual additions a block: their variances add up over depth (GPT-2, section 2.3).
    double residual = DEVIATION / Math.sqrt(2.0 * configuration.layers());
    List<Parameter> all = new ArrayList<>();
    all.add(matrix("wte.weight", configuration.vocabularySize(), width, DEVIATION));
    all.add(matrix("wpe.weight", configuration.context(), width, DEVIATION));
    for (int layer = 0; layer < configuration.layers(); layer++) {
      String block = "h." + layer + ".";
      addNorm(all, block + "ln_1", width);
      addLinear(all, block + "attn.c_attn", width, 3 * width, DEVIATION);
      addLinear(all, block + "attn.c_proj", width, width, residual);
      addNorm(all, block + "ln_2", width);
      addLinear(all, block + "mlp.c_fc", width, 4 * width, DEVIATION);
      addLinear(all, block + "mlp.c_proj", 4 * width, width, residual);
    }
    addNorm(all, "ln_f", width);
    return new ParameterLayout(all);
  }

  private static Parameter matrix(String name, int in, int out, double deviation) {
    return new Parameter(PREFIX + name, Shape.of(in, out), deviation, 0, finishingMark(name), 0);
  }

  private static Parameter vector(String name, int size, double value) {
    return new Parameter(PREFIX + name, Shape.of(size), 0, value, finishingMark(name), 0);
  }

  private static int finishingMark(String name) {
    if (name.startsWith("h.")) {
      return Integer.parseInt(name.substring(2, name.indexOf('.', 2)));
    }
    // The token embedding is used first and, being tied, last; the last layer norm after all
    // blocks.
    return name.startsWith("ln_f.") ? Integer.MAX_VALUE : END_OF_PASS;
  }

  private static void addLinear(
      List<Parameter> all, String name, int in, int out, double deviation) {
    all.add(matrix(name + ".weight", in, out, deviation));
    all.add(vector(name + ".bias", out, 0));
  }

  private static void addNorm(List<Parameter> all, String name, int size) {
    all.add(vector(name + ".weight", size, 1));
    all.add(vector(name + ".bias", size, 0));
  }

  public GptConfiguration configuration() {
    return configuration;
  }

  public ParameterLayout layout() {
    return layout;
  }

  /** The targets are the tokens that follow each. */
  @Override
  public void loss(Tape tape, Batch batch, float scale, DropoutSites dropouts) {
    Variable hidden = hidden(tape, batch.tokens(), dropouts);
    Linear output = Linear.transposed(parameter("wte.weight"), null);
    new Functions(tape).crossEntropy(hidden, output, batch.targets(scale));
  }

  /** The last layer norm's output [R, C]; logits are its product with the token embedding. */
  public Variable hidden(Tape tape, Tensor tokens, DropoutSites dropouts) {
    int heads = configuration.heads();
    int length = tokens.columns();
    Mixer mixer =
        (inner, layer, qkv) -> {
          Dropout dropout = dropouts.at(1 + 3 * layer, (long) heads * length * length);
          return new Functions(inner)
              .selfAttention(
                  qkv,
                  Attention.causal(
                      tokens.rows(), length, heads, configuration.headWidth(), dropout));
        };
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

  /**
   * @param firstPosition position of each sequence's first token
   */
  Variable hidden(Tape tape, Tensor tokens, int firstPosition, Mixer mixer, DropoutSites dropouts) {
    Functions functions = new Functions(tape);
    Variable embedded =
        functions.embedding(
            tokens, parameter("wte.weight"), parameter("wpe.weight"), firstPosition);
    long elements = (long) tokens.columns() * configuration.width();
    List<Variable> stream = List.of(functions.dropout(embedded, dropouts.at(0, elements)));
    for (int layer = 0; layer < configuration.layers(); layer++) {
      tape.mark(layer);
      parameters.enter(layer);
      Block block = new Block(layer, mixer, dropouts, elements);
      stream =
          configuration.recomputeActivations() || !tape.recording()
              ? tape.segment(stream, (inner, in) -> run(block, inner, in))
              : run(block, tape, stream);
    }
    tape.mark(configuration.layers());
    return normalize(functions, "ln_f", stream.get(0), stream.get(1)).normalized();
  }

  /** One block of a pass; a sequence has so many elements of the residual stream. */
  private record Block(int layer, Mixer mixer, DropoutSites dropouts, long elements) {
    Variable drop(Functions functions, Variable branch, int site) {
      return functions.dropout(branch, dropouts.at(1 + 3 * layer + site, elements));
    }
  }

  /**
   * Runs one block. The residual stream travels as (stream, branch yet to be added), so that each
   * addition is fused with the layer norm that follows it.
   */
  private List<Variable> run(Block block, Tape tape, List<Variable> in) {
    Functions functions = new Functions(tape);
    String name = "h." + block.layer() + ".";
    Normalized first =
        normalize(functions, name + "ln_1", in.get(0), in.size() == 1 ? null : in.get(1));
    Variable qkv = functions.linear(first.normalized(), linear(name + "attn.c_attn"));
    Variable heads = block.mixer().mix(tape, block.layer(), qkv);
    Variable mixed = functions.linear(heads, linear(name + "attn.c_proj"));
    Normalized second =
        normalize(functions, name + "ln_2", first.sum(), block.drop(functions, mixed, 1));
    Variable expanded = functions.linearGelu(second.normalized(), linear(name + "mlp.c_fc"));
    Variable branch = functions.linear(expanded, linear(name + "mlp.c_proj"));
    return List.of(second.sum(), block.drop(functions, branch, 2));
  }

  private Normalized normalize(Functions functions, String name, Variable x, Variable branch) {
    return functions.layerNorm(
        x, branch, parameter(name + ".weight"), parameter(name + ".bias"), EPSILON);
  }

  private Linear linear(String name) {
    return new Linear(parameter(name + ".weight"), parameter(name + ".bias"));
  }

  Variable parameter(String name) {
    return parameters.variable(layout.parameter(PREFIX + name));
  }
}
