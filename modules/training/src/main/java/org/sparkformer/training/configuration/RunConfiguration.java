package org.sparkformer.training.configuration;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import java.io.Serializable;
import org.sparkformer.models.ModelConfiguration;

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

  public RunConfiguration {
    requireNonNull(name, "name");
    requireNonNull(model, "model");
    requireNonNull(data, "data");
    requireNonNull(training, "training");
    if (name.isBlank()) {
      throw new IllegalArgumentException("name must not be blank");
    }
  }
}
