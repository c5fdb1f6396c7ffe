package org.sparkformer.models.generation;

import java.util.Set;

/**
 * How the next token is chosen.
 *
 * @param maximumTokens most tokens to generate
 * @param temperature divides the logits; 0 always takes the likeliest token
 * @param topK only the so many likeliest tokens are drawn from; 0 for all
 * @param topP then only the likeliest tokens whose probabilities first reach this sum (nucleus
 *     sampling, Holtzman et al., arXiv:1904.09751); 1 for all
 * @param seed the same seed, prompt and logits give the same tokens
 * @param stopTokens generation ends before any of these
 */
public record SamplingOptions(
    int maximumTokens,
    double temperature,
    int topK,
    double topP,
    long seed,
    Set<Integer> stopTokens) {

  public SamplingOptions {
    check(maximumTokens >= 0, "the number of tokens must not be negative, is " + maximumTokens);
    check(
        temperature >= 0 && temperature < Double.POSITIVE_INFINITY,
        "temperature must be finite and not negative, is " + temperature);
    check(topK >= 0, "top-k must not be negative, is " + topK);
    check(topP > 0 && topP <= 1, "top-p must lie in (0, 1], is " + topP);
    stopTokens = Set.copyOf(stopTokens);
  }

  private static void check(boolean holds, String complaint) {
    if (!holds) {
      throw new IllegalArgumentException(complaint);
    }
  }

  /** Draws from the model's own distribution. */
  public static SamplingOptions of(int maximumTokens) {
    return new SamplingOptions(maximumTokens, 1, 0, 1, 0, Set.of());
  }

  /** Always takes the likeliest token. */
  public static SamplingOptions greedy(int maximumTokens) {
    return of(maximumTokens).withTemperature(0);
  }

  public SamplingOptions withTemperature(double value) {
    return new SamplingOptions(maximumTokens, value, topK, topP, seed, stopTokens);
  }

  public SamplingOptions withTopK(int value) {
    return new SamplingOptions(maximumTokens, temperature, value, topP, seed, stopTokens);
  }

  public SamplingOptions withTopP(double value) {
    return new SamplingOptions(maximumTokens, temperature, topK, value, seed, stopTokens);
  }

  public SamplingOptions withSeed(long value) {
    return new SamplingOptions(maximumTokens, temperature, topK, topP, value, stopTokens);
  }

  public SamplingOptions withStopTokens(Set<Integer> values) {
    return new SamplingOptions(maximumTokens, temperature, topK, topP, seed, values);
  }
}
