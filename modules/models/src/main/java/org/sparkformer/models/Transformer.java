package org.sparkformer.models;

import java.util.List;
import org.sparkformer.tensor.autograd.Functions.Norm;
import org.sparkformer.tensor.autograd.Tape;
import org.sparkformer.tensor.autograd.Variable;

/**
 * What GPT and BERT have in common: parameters that are found by name, and a stack of blocks around
 * which the tape is marked, parameters come and go, and activations are forgotten.
 */
abstract sealed class Transformer implements LanguageModel permits Gpt, Bert {
  private final ModelConfiguration configuration;
  private final ParameterLayout layout;
  private final ParameterStore parameters;
  private final String prefix;
  private final float epsilon;

  /**
   * @param prefix of the names that {@link #parameter} is given
   * @param epsilon of the layer norms
   */
  Transformer(
      ModelConfiguration configuration, ParameterStore parameters, String prefix, float epsilon) {
    this.configuration = configuration;
    this.layout = configuration.layout();
    this.parameters = parameters;
    this.prefix = prefix;
    this.epsilon = epsilon;
  }

  public ModelConfiguration configuration() {
    return configuration;
  }

  /** One block of a pass. */
  @FunctionalInterface
  interface Block {
    /** From what the block before it has left, or the embeddings [R, C], to what it leaves. */
    List<Variable> run(Tape tape, int layer, List<Variable> in);
  }

  /** Runs all blocks over the embeddings [R, C], and returns what the last one leaves. */
  final List<Variable> run(Block block, Tape tape, Variable embedded) {
    List<Variable> stream = List.of(embedded);
    for (int layer = 0; layer < configuration.layers(); layer++) {
      tape.mark(layer);
      parameters.enter(layer);
      int number = layer;
      stream =
          configuration.recomputeActivations() || !tape.recording()
              ? tape.segment(stream, (inner, in) -> block.run(inner, number, in))
              : block.run(tape, layer, stream);
    }
    tape.mark(configuration.layers());
    return stream;
  }

  final Variable parameter(String name) {
    return parameters.variable(layout.parameter(prefix + name));
  }

  /** The parameters of a layer norm. */
  final Norm norm(String name) {
    return new Norm(parameter(name + ".weight"), parameter(name + ".bias"), epsilon);
  }
}
