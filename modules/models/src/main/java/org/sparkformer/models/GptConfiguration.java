package org.sparkformer.models;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import org.sparkformer.tensor.DType;

/**
 * The shape of a GPT: section {@code model} of a run's configuration. Architecture and counting
 * follow GPT-2 (Radford et al. 2019): pre-norm blocks, learned positions, a feed-forward layer of
 * four times the width, and an output matrix tied to the token embedding.
 *
 * @param layers number of transformer blocks, at least 1
 * @param heads attention heads a block; must divide {@code width}
 * @param width size of the residual stream (d_model), C below
 * @param context longest sequence in tokens, T below
 * @param vocabularySize rows of the token embedding, V below; written {@code vocab_size} in files
 * @param dropout probability in [0, 1) of dropping an embedding, an attention weight or a residual
 *     branch
 * @param recomputeActivations keep only each block's input and compute the rest again in the
 *     backward pass: less memory for about a third more work, the same numbers
 */
@JsonNaming(SnakeCaseStrategy.class)
public record GptConfiguration(
    int layers,
    int heads,
    int width,
    int context,
    @JsonProperty("vocab_size") int vocabularySize,
    double dropout,
    boolean recomputeActivations)
    implements ModelConfiguration {

  public GptConfiguration {
    Requirement.shape(layers, heads, width, context, vocabularySize);
    Requirement.probability(dropout);
  }

  /** A configuration without dropout and without recomputation. */
  public static GptConfiguration of(
      int layers, int heads, int width, int context, int vocabularySize) {
    return new GptConfiguration(layers, heads, width, context, vocabularySize, 0, false);
  }

  /**
   * Trainable parameters: V·C + T·C for the embeddings, 12·C² + 13·C a block, 2·C for the last
   * layer norm. The tied output matrix counts once.
   */
  @Override
  public long parameterCount() {
    long c = width;
    long embeddings = ((long) vocabularySize + context) * c;
    return embeddings + BlockSize.parameters(this) + 2 * c;
  }

  @Override
  public Objective objective() {
    return Objective.NEXT_TOKEN;
  }

  /** From block to block pass the stream and its branch; the embedded tokens are one row of C. */
  @Override
  public long activationBytesOfToken(DType operands) {
    return BlockSize.activationBytesOfToken(this, new BlockSize.Rows(10, 2, 1), operands);
  }

  @Override
  public ParameterLayout layout() {
    return Gpt.layout(this);
  }

  @Override
  public LanguageModel bind(ParameterStore parameters) {
    return new Gpt(this, parameters);
  }
}
