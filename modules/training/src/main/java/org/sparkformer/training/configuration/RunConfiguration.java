package org.sparkformer.training.configuration;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import java.io.Serializable;
import java.util.Set;
import org.sparkformer.data.MaskedSamples;
import org.sparkformer.models.ModelConfiguration;
import org.sparkformer.models.Objective;

/**
 * Everything that decides a run's numbers: one YAML file, with defaults filled in. Where and on how
 * many ranks it runs is no part of it, for that changes nothing in the result.
 *
 * @param name the configuration's name, by default its file name without extension
 */
@JsonNaming(SnakeCaseStrategy.class)
public record RunConfiguration(
    String name, ModelConfiguration model, DataConfiguration data, TrainingConfiguration training)
    implements Serializable {
  /** Tokenizers that have no special tokens to hide others by. */
  private static final Set<String> UNMASKED = Set.of("char", "bpe", "gpt2");

  public RunConfiguration {
    requireNonNull(name, "name");
    requireNonNull(model, "model");
    requireNonNull(data, "data");
    requireNonNull(training, "training");
    if (name.isBlank()) {
      throw new IllegalArgumentException("name must not be blank");
    }
    if (masks(model)) {
      requireMasks(model, data);
    }
  }

  private static void requireMasks(ModelConfiguration model, DataConfiguration data) {
    if (data.dataset() == null && UNMASKED.contains(data.tokenizer())) {
      throw new IllegalArgumentException(
          "data.tokenizer must be masked-bpe or the path of a tokenizer.json with [MASK] for this model.architecture, but is "
              + data.tokenizer());
    }
    int targets = MaskedSamples.targets(model.context(), data.maskFraction());
    MaskedSamples.requireRoom(model.context(), targets);
  }

  private static boolean masks(ModelConfiguration model) {
    return model.objective() == Objective.MASKED_TOKENS;
  }

  /** Tokens of a sequence that are to be predicted: those that are hidden, or all. */
  public int targets() {
    return masks(model)
        ? MaskedSamples.targets(model.context(), data.maskFraction())
        : model.context();
  }
}
