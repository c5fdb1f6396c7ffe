package org.sparkformer.models;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonSubTypes.Type;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.io.Serializable;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Tensor;

/**
 * The shape of a model: section {@code model} of a run's configuration, whose key {@code
 * architecture} says which of these records it is. All that training asks of an architecture is
 * here and in {@link LanguageModel}.
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "architecture")
@JsonSubTypes({
  @Type(value = GptConfiguration.class, name = "gpt"),
  @Type(value = BertConfiguration.class, name = "bert")
})
public sealed interface ModelConfiguration extends Serializable
    permits GptConfiguration, BertConfiguration {

  /** Transformer blocks. */
  int layers();

  /** Attention heads of a block. */
  int heads();

  /** Size of the residual stream, C. */
  int width();

  /** Longest sequence in tokens, T. */
  int context();

  /** Rows of the token embedding, V. */
  int vocabularySize();

  /** Probability of dropping an element. */
  double dropout();

  /** Whether only each block's input is kept for the backward pass. */
  boolean recomputeActivations();

  /** Trainable parameters. */
  long parameterCount();

  /** What it learns to predict. */
  Objective objective();

  /**
   * Bytes that training holds at once for each token of a micro-batch: what is kept from the
   * forward to the backward pass, and the gradients that pass through one block.
   *
   * @param operands what matrix products take their operands as
   */
  long activationBytesOfToken(DType operands);

  /** Every parameter with its name, shape, initial distribution and place. */
  ParameterLayout layout();

  /**
   * The model over a flat vector of parameters; the caller keeps both vectors.
   *
   * @param parameters of {@code layout().size()} elements
   * @param gradients null for inference, else at least of that size; backward adds to it
   */
  default LanguageModel bind(Tensor parameters, Tensor gradients) {
    return bind(ParameterStore.flat(layout(), parameters, gradients));
  }

  /** The model over parameters that are wherever the store has them when a pass comes to them. */
  LanguageModel bind(ParameterStore parameters);

  /** Width of one head, C / heads. */
  default int headWidth() {
    return width() / heads();
  }
}
