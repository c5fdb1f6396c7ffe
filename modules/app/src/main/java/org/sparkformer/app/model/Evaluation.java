package org.sparkformer.app.model;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.io.IOException;
import java.time.Duration;
import org.sparkformer.collective.CollectiveOptions;
import org.sparkformer.collective.InProcessTransport;
import org.sparkformer.collective.SummationTree;
import org.sparkformer.collective.TreeCollective;
import org.sparkformer.data.CausalSamples;
import org.sparkformer.data.MaskedSamples;
import org.sparkformer.data.Samples;
import org.sparkformer.data.Split;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.training.Evaluator;
import org.sparkformer.training.Evaluator.Scores;
import org.sparkformer.training.configuration.DataConfiguration;

/**
 * How well a model predicts a dataset.
 *
 * @param loss mean cross-entropy, nats a token
 * @param perplexity e to that
 * @param accuracy share of the tokens that are the model's likeliest
 * @param bitsPerByte the same a byte of text, which compares across tokenizers; null where only
 *     masked tokens are predicted
 * @param tokens predicted
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Evaluation(
    double loss,
    double perplexity,
    double accuracy,
    @JsonProperty("bits_per_byte") Double bitsPerByte,
    long tokens) {

  /** Share of a sequence's tokens that are masked, unless said otherwise. */
  public static final double MASK_FRACTION = DataConfiguration.DEFAULTS.maskFraction();

  /**
   * What a model is evaluated on.
   *
   * @param maskFraction of a model that predicts masked tokens
   */
  public static Samples samples(
      LoadedModel model, TokenDataset dataset, Split split, double maskFraction) {
    dataset.requireTokenizer(model.tokenizer(), "the model's tokenizer.json");
    int context = model.configuration().context();
    return switch (model.configuration().objective()) {
      case NEXT_TOKEN -> new CausalSamples(dataset, split, context, 0);
      case MASKED_TOKENS ->
          new MaskedSamples(
              dataset, split, context, MaskedSamples.targets(context, maskFraction), 0);
    };
  }

  /**
   * Evaluates on windows of the model's context, spread evenly over the split.
   *
   * @param windows the most to take; those of the whole split where it has fewer
   * @param batch windows a forward pass
   */
  public static Evaluation of(LoadedModel model, Samples samples, int windows, int batch)
      throws IOException {
    Scores scores = scores(model, samples, windows, batch);
    return new Evaluation(
        scores.loss(),
        Math.exp(scores.loss()),
        scores.accuracy(),
        bitsPerByte(scores.loss(), samples),
        Math.min(windows, samples.evaluationWindows()) * samples.targets());
  }

  private static Double bitsPerByte(double loss, Samples samples) {
    if (samples.targets() < samples.context()) {
      return null;
    }
    TokenDataset dataset = samples.dataset();
    Split split = samples.split();
    double bytesPerToken = (double) dataset.textBytes(split) / dataset.tokens(split);
    return loss / Math.log(2) / bytesPerToken;
  }

  private static Scores scores(LoadedModel model, Samples samples, int windows, int batch)
      throws IOException {
    try (TreeCollective alone =
            new TreeCollective(
                new SummationTree(1),
                InProcessTransport.group("evaluate", 0, 1).get(0),
                CollectiveOptions.of("evaluate", 0, Duration.ofMinutes(1)));
        Evaluator evaluator = new Evaluator(model.backend(), samples, windows, batch)) {
      return evaluator.scores(model.model(), alone);
    }
  }
}
