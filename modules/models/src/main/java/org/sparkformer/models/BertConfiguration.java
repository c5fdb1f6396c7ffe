package org.sparkformer.models;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import org.sparkformer.tensor.DType;

/**
 * The shape of a BERT: section {@code model} of a run's configuration where {@code architecture} is
 * {@code bert}. Its feed-forward layer is four times as wide as the model.
 *
 * @param layers number of transformer blocks, at least 1
 * @param heads attention heads a block; must divide {@code width}
 * @param width size of the residual stream (hidden_size), C below
 * @param context longest sequence in tokens, T below, special tokens included
 * @param vocabularySize rows of the token embedding, V below; written {@code vocab_size} in files
 * @param dropout probability in [0, 1) of dropping an embedding, an attention weight or a residual
 *     branch
 * @param recomputeActivations keep only each block's input and compute the rest again in the
 *     backward pass: less memory for about a third more work, the same numbers
 */
@JsonNaming(SnakeCaseStrategy.class)
public record BertConfiguration(
    int layers,
    int heads,
    int width,
    int context,
    @JsonProperty("vocab_size") int vocabularySize,
    double dropout,
    boolean recomputeActivations)
    implements ModelConfiguration {

  public BertConfiguration {
    Requirement.shape(layers, heads, width, context, vocabularySize);
    Requirement.probability(dropout);
  }

  /** A configuration without dropout and without recomputation. */
  public static BertConfiguration of(
      int layers, int heads, int width, int context, int vocabularySize) {
    return new BertConfiguration(layers, heads, width, context, vocabularySize, 0, false);
  }

  /**
   * Trainable parameters of the encoder and the head that predicts masked tokens (transformers'
   * BertForMaskedLM): V·C + T·C + 4·C for the embeddings of tokens, positions and two token types
   * and their layer norm, 12·C² + 13·C a block, C² + 3·C + V for the head. The tied output matrix
   * counts once.
   */
  @Override
  public long parameterCount() {
    long c = width;
    long embeddings = ((long) vocabularySize + context + 4) * c;
    return embeddings + BlockSize.parameters(this) + c * c + 3 * c + vocabularySize;
  }

  /**
   * The parameters of transformers' BertModel, which published sizes count: a pooler of C² + C, not
   * trained here, in the place of the head.
   */
  public long publishedParameterCount() {
    long c = width;
    return parameterCount() - (c * c + 3 * c + vocabularySize) + c * c + c;
  }

  @Override
  public Objective objective() {
    return Objective.MASKED_TOKENS;
  }

  /**
   * From block to block passes the stream; the embeddings and their layer norm keep 3 rows of C.
   */
  @Override
  public long activationBytesOfToken(DType operands) {
    return BlockSize.activationBytesOfToken(this, new BlockSize.Rows(8, 1, 3), operands);
  }

  @Override
  public ParameterLayout layout() {
    return Bert.layout(this);
  }

  @Override
  public LanguageModel bind(ParameterStore parameters) {
    return new Bert(this, parameters);
  }
}
