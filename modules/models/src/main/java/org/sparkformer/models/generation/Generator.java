package org.sparkformer.models.generation;

import java.util.Arrays;
import java.util.function.IntPredicate;
import org.sparkformer.models.Gpt;
import org.sparkformer.models.GptDecoder;
import org.sparkformer.tensor.Backend;

/**
 * Continues a sequence of tokens.
 *
 * <p>A sequence longer than the context goes on from its end: of a prompt the last context - 1
 * tokens count, and whenever the context is full, its last half is read again as a new start, for
 * learned positions cannot move.
 */
public final class Generator {
  private final Backend backend;
  private final Gpt gpt;
  private final int tokens;

  /**
   * @param tokens the tokenizer's vocabulary: rows of the embedding beyond it, which pad some
   *     models' tables, stand for nothing and are never drawn
   */
  public Generator(Backend backend, Gpt gpt, int tokens) {
    this.backend = backend;
    this.gpt = gpt;
    this.tokens = Math.min(tokens, gpt.configuration().vocabularySize());
  }

  /**
   * Generates tokens until there are enough, a stop token is drawn, or the caller has enough.
   *
   * @param prompt at least one token
   * @param onToken called with each token as it is drawn; false ends generation after it
   * @return the new tokens, without a stop token
   * @throws IllegalArgumentException if the prompt is empty or leaves the vocabulary
   */
  public int[] generate(int[] prompt, SamplingOptions options, IntPredicate onToken) {
    if (prompt.length == 0) {
      throw new IllegalArgumentException(
          "the prompt is empty; start with the end-of-text token or some text");
    }
    int context = gpt.configuration().context();
    Sampler sampler = new Sampler(options);
    int[] sequence = Arrays.copyOf(prompt, Math.addExact(prompt.length, options.maximumTokens()));
    int end = prompt.length;
    try (GptDecoder decoder = new GptDecoder(backend, gpt)) {
      int unread = Math.min(prompt.length, Math.max(1, context - 1));
      while (end < sequence.length) {
        if (decoder.length() + unread > context) {
          decoder.clear();
          unread = Math.max(1, context / 2);
        }
        float[] logits = decoder.append(Arrays.copyOfRange(sequence, end - unread, end));
        int token = sampler.next(Arrays.copyOf(logits, tokens));
        if (options.stopTokens().contains(token)) {
          break;
        }
        sequence[end++] = token;
        unread = 1;
        if (!onToken.test(token)) {
          break;
        }
      }
    }
    return Arrays.copyOfRange(sequence, prompt.length, end);
  }
}
