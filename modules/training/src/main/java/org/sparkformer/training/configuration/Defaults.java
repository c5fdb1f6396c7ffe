package org.sparkformer.training.configuration;

import com.fasterxml.jackson.databind.node.ObjectNode;
import org.sparkformer.models.GptConfiguration;

/** The keys that a run's configuration may have, and the values of those that may be left out. */
public final class Defaults {
  /** Has every key; where a key has no default, with any value. */
  public static final RunConfiguration EXEMPLAR =
      new RunConfiguration(
          "name",
          GptConfiguration.of(1, 1, 1, 1, 1),
          DataConfiguration.DEFAULTS,
          TrainingConfiguration.DEFAULTS);

  private Defaults() {}

  /**
   * Removes from the {@link #EXEMPLAR}, written as a tree, what every configuration must set
   * itself.
   *
   * @return the tree
   */
  public static ObjectNode retain(ObjectNode exemplar) {
    exemplar.remove("name");
    ((ObjectNode) exemplar.get("model")).retain("architecture", "dropout", "recompute_activations");
    // Follows the learning rate unless it is set.
    ((ObjectNode) exemplar.get("training")).remove("min_learning_rate");
    return exemplar;
  }
}
