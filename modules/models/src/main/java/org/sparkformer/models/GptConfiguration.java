package org.sparkformer.models;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;

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
    Requirement.positive("layers", layers);
    Requirement.positive("heads", heads);
    Requirement.positive("width", width);
    Requirement.positive("context", context);
    Requirement.positive("vocab_size", vocabularySize);
    Requirement.headsDivide(heads, width);
    Requirement.probability(dropout);
  }

  /** A configuration without dropout and without recomputation. */
  public static GptConfiguration of(
      int layers, int heads, int width, int context, int vocabularySize) {
    return new GptConfiguration(layers, heads, width, context, vocabularySize, 0, false);
  }

  /**
   * Trainable parameters: V·C + T·C for the embeddings, 12·C² + 13·C a block (attention 4·C² + 4·C,
   * feed-forward 8·C² + 5·C, two layer norms 4·C), 2·C for the last layer norm. The tied output
   * matrix counts once.
   */
  @Override
  public long parameterCount() {
    long c = width;
    long embeddings = ((long) vocabularySize + context) * c;
    long block = 12 * c * c + 13 * c;
    return embeddings + layers * block + 2 * c;
  }

  @Override
  public Objective objective() {
    return Objective.NEXT_TOKEN;
  }

  /**
   * Rows of width C: a block keeps 7 for attention and 11 from there to its end, with dropout two
   * more; 11 pass backward, of the stream, its branch and the feed-forward layer; 1 is embedded.
   */
  @Override
  public long activationsOfToken() {
    int drops = dropout > 0 ? 1 : 0;
    int block = 18 + 2 * drops;
    long blocks = recomputeActivations ? 2L * layers + block : (long) block * layers;
    return width * (blocks + 1 + drops + 11);
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
