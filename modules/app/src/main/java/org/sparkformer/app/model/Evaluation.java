package org.sparkformer.app.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.io.IOException;
import java.time.Duration;
import org.sparkformer.collective.CollectiveOptions;
import org.sparkformer.collective.InProcessTransport;
import org.sparkformer.collective.SummationTree;
import org.sparkformer.collective.TreeCollective;
import org.sparkformer.data.CausalSamples;
import org.sparkformer.data.Split;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.training.Evaluator;
import org.sparkformer.training.configuration.TrainingConfiguration;

/**
 * How well a model predicts a dataset.
 *
 * @param loss mean cross-entropy, nats a token
 * @param perplexity e to that
 * @param bitsPerByte the same a byte of text, which compares across tokenizers
 * @param tokens predicted
 */
public record Evaluation(
    double loss,
    double perplexity,
    @JsonProperty("bits_per_byte") double bitsPerByte,
    long tokens) {

  /**
   * Evaluates on windows of the model's context, spread evenly over the split.
   *
   * @param windows the most to take; those of the whole split where it has fewer
   * @param batch windows a forward pass
   */
  public static Evaluation of(
      LoadedModel model, TokenDataset dataset, Split split, int windows, int batch)
      throws IOException {
    dataset.requireTokenizer(model.tokenizer(), "the model's tokenizer.json");
    int context = model.configuration().context();
    CausalSamples samples = new CausalSamples(dataset, split, context, 0);
    long wanted = Math.min(windows, samples.evaluationWindows());
    int batches = Math.toIntExact((wanted + batch - 1) / batch);
    long counted = Math.min((long) batches * batch, samples.evaluationWindows());
    TrainingConfiguration settings =
        TrainingConfiguration.DEFAULTS.toBuilder()
            .batchSize(batch)
            .microBatchSize(batch)
            .evalBatches(batches)
            .build();
    double loss = meanLoss(model, samples, settings);
    double bytesPerToken = (double) dataset.textBytes(split) / dataset.tokens(split);
    return new Evaluation(
        loss, Math.exp(loss), loss / Math.log(2) / bytesPerToken, counted * context);
  }

  private static double meanLoss(
      LoadedModel model, CausalSamples samples, TrainingConfiguration settings) throws IOException {
    try (TreeCollective alone =
            new TreeCollective(
                new SummationTree(1),
                InProcessTransport.group("evaluate", 0, 1).get(0),
                CollectiveOptions.of("evaluate", 0, Duration.ofMinutes(1)));
        Evaluator evaluator = new Evaluator(model.backend(), samples, settings)) {
      return evaluator.meanLoss(model.model(), alone);
    }
  }
}
