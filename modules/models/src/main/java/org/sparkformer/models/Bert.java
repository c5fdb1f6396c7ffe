package org.sparkformer.models;

import java.util.ArrayList;
import java.util.List;
import org.sparkformer.models.ParameterLayout.Parameter;
import org.sparkformer.tensor.Shape;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.autograd.Functions;
import org.sparkformer.tensor.autograd.Functions.Linear;
import org.sparkformer.tensor.autograd.Tape;
import org.sparkformer.tensor.autograd.Variable;
import org.sparkformer.tensor.ops.Attention;

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
public final class Bert implements LanguageModel {
  private static final float EPSILON = 1e-12f;
  private static final double DEVIATION = 0.02;
  private static final int TOKEN_TYPES = 2;
  private static final String EMBEDDINGS = "bert.embeddings.";
  private static final String WORDS = EMBEDDINGS + "word_embeddings.weight";
  private static final String BLOCK = "bert.encoder.layer.";
  private static final String HEAD = "cls.predictions.";

  private final BertConfiguration configuration;
  private final ParameterLayout layout;
  private final ParameterStore parameters;

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
    this.configuration = configuration;
    this.layout = layout(configuration);
    this.parameters = parameters;
  }

  /** Every parameter with its name, shape, initial distribution and place. */
  public static ParameterLayout layout(BertConfiguration configuration) {
    int width = configuration.width();
    List<Parameter> all = new ArrayList<>();
    all.add(matrix(WORDS, configuration.vocabularySize(), width));
    all.add(matrix(EMBEDDINGS + "position_embeddings.weight", configuration.context(), width));
    all.add(matrix(EMBEDDINGS + "token_type_embeddings.weight", TOKEN_TYPES, width));
    addNorm(all, EMBEDDINGS + "LayerNorm", width);
    for (int layer = 0; layer < configuration.layers(); layer++) {
      String block = BLOCK + layer + ".";
      addLinear(all, block + "attention.self.query", width, width);
      addLinear(all, block + "attention.self.key", width, width);
      addLinear(all, block + "attention.self.value", width, width);
      addLinear(all, block + "attention.output.dense", width, width);
      addNorm(all, block + "attention.output.LayerNorm", width);
      addLinear(all, block + "intermediate.dense", width, 4 * width);
      addLinear(all, block + "output.dense", 4 * width, width);
      addNorm(all, block + "output.LayerNorm", width);
    }
    addLinear(all, HEAD + "transform.dense", width, width);
    addNorm(all, HEAD + "transform.LayerNorm", width);
    all.add(vector(HEAD + "bias", configuration.vocabularySize(), 0));
    return new ParameterLayout(all);
  }

  private static Parameter matrix(String name, int rows, int columns) {
    return new Parameter(name, Shape.of(rows, columns), DEVIATION, 0, finishingMark(name), 0);
  }

  private static Parameter vector(String name, int size, double value) {
    return new Parameter(name, Shape.of(size), 0, value, finishingMark(name), 0);
  }

  private static void addLinear(List<Parameter> all, String name, int in, int out) {
    all.add(matrix(name + ".weight", out, in));
    all.add(vector(name + ".bias", out, 0));
  }

  private static void addNorm(List<Parameter> all, String name, int size) {
    all.add(vector(name + ".weight", size, 1));
    all.add(vector(name + ".bias", size, 0));
  }

  private static int finishingMark(String name) {
    if (name.startsWith(BLOCK)) {
      return Integer.parseInt(name.substring(BLOCK.length(), name.indexOf('.', BLOCK.length())));
    }
    // The head comes after all blocks, but for its output matrix, which is the token embedding.
    return name.startsWith(HEAD) ? Integer.MAX_VALUE : END_OF_PASS;
  }

  public BertConfiguration configuration() {
    return configuration;
  }

  public ParameterLayout layout() {
    return layout;
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
    Variable dense = functions.linear(hidden, linear(HEAD + "transform.dense"));
    return normalize(functions, HEAD + "transform.LayerNorm", functions.exactGelu(dense), null);
  }

  /** The last block's output [R, C]; rows of padding hold numbers without a meaning. */
  public Variable hidden(Tape tape, Input input, DropoutSites dropouts) {
    Functions functions = new Functions(tape);
    long elements = (long) input.tokens().columns() * configuration.width();
    Variable embedded = embedded(functions, input);
    List<Variable> stream = List.of(functions.dropout(embedded, dropouts.at(0, elements)));
    for (int layer = 0; layer < configuration.layers(); layer++) {
      tape.mark(layer);
      parameters.enter(layer);
      Block block = new Block(layer, input, dropouts, elements);
      stream =
          configuration.recomputeActivations() || !tape.recording()
              ? tape.segment(stream, (inner, in) -> run(block, inner, in))
              : run(block, tape, stream);
    }
    tape.mark(configuration.layers());
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
    return normalize(functions, EMBEDDINGS + "LayerNorm", words, typed);
  }

  private Variable embeddings(String name) {
    return parameter(EMBEDDINGS + name);
  }

  /** One block of a pass; a sequence has so many elements of the residual stream. */
  private record Block(int layer, Input input, DropoutSites dropouts, long elements) {
    Variable drop(Functions functions, Variable branch, int site) {
      return functions.dropout(branch, dropouts.at(1 + 3 * layer + site, elements));
    }
  }

  private List<Variable> run(Block block, Tape tape, List<Variable> in) {
    Functions functions = new Functions(tape);
    String name = BLOCK + block.layer() + ".";
    Variable x = in.get(0);
    Variable mixed =
        functions.linear(mixed(block, functions, x), linear(name + "attention.output.dense"));
    Variable middle =
        normalize(
            functions, name + "attention.output.LayerNorm", x, block.drop(functions, mixed, 1));
    Variable expanded =
        functions.exactGelu(functions.linear(middle, linear(name + "intermediate.dense")));
    Variable branch = functions.linear(expanded, linear(name + "output.dense"));
    return List.of(
        normalize(functions, name + "output.LayerNorm", middle, block.drop(functions, branch, 2)));
  }

  private Variable mixed(Block block, Functions functions, Variable x) {
    String name = BLOCK + block.layer() + ".attention.self.";
    List<Variable> projected =
        functions.linears(
            x, List.of(linear(name + "query"), linear(name + "key"), linear(name + "value")));
    Tensor tokens = block.input().tokens();
    int length = tokens.columns();
    int heads = configuration.heads();
    Attention attention =
        new Attention(
            tokens.rows(),
            heads,
            configuration.headWidth(),
            length,
            length,
            0,
            false,
            block.input().lengths(),
            block.dropouts().at(1 + 3 * block.layer(), (long) heads * length * length));
    return functions.attention(projected.get(0), projected.get(1), projected.get(2), attention);
  }

  private Variable normalize(Functions functions, String name, Variable x, Variable branch) {
    Variable weight = parameter(name + ".weight");
    return functions.layerNorm(x, branch, weight, parameter(name + ".bias"), EPSILON).normalized();
  }

  private Linear linear(String name) {
    return Linear.transposed(parameter(name + ".weight"), parameter(name + ".bias"));
  }

  private Variable parameter(String name) {
    return parameters.variable(layout.parameter(name));
  }
}
