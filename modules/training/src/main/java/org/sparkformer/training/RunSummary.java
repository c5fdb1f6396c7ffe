package org.sparkformer.training;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import java.io.Serializable;
import java.util.List;
import org.sparkformer.training.configuration.RunConfiguration;

/**
 * What came of a run: {@code run.json}, written when it ends.
 *
 * @param configuration the resolved configuration
 * @param parameters trainable parameters
 * @param device rank 0's device
 * @param ranks ranks of the last session
 * @param steps optimizer steps done
 * @param tokens tokens trained on
 * @param wallSeconds time spent, earlier sessions included as far as their checkpoints reach
 * @param loss of the last step's batch
 * @param valLoss of the last evaluation; null without a validation split
 * @param skippedSteps steps counted from 1 whose batch was skipped, because its loss or one near it
 *     was a spike
 * @param weightsSha256 SHA-256 of all weights, see {@link WeightsDigest}
 */
@JsonNaming(SnakeCaseStrategy.class)
public record RunSummary(
    RunConfiguration configuration,
    long parameters,
    String device,
    int ranks,
    int steps,
    long tokens,
    double wallSeconds,
    double loss,
    Double valLoss,
    List<Integer> skippedSteps,
    String weightsSha256)
    implements Serializable {
  /** Name of the file in the run's folder. */
  public static final String FILE_NAME = "run.json";

  /** Takes what earlier versions did not write for empty. */
  public RunSummary {
    requireNonNull(configuration, "configuration");
    skippedSteps = skippedSteps == null ? List.of() : List.copyOf(skippedSteps);
  }
}
