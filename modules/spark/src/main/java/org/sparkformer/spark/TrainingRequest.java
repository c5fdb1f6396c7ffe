package org.sparkformer.spark;

import static java.util.Objects.requireNonNull;

import java.util.OptionalInt;
import org.sparkformer.training.configuration.RunConfiguration;

/**
 * A run and where it is to happen.
 *
 * @param configuration what is trained; its {@code data} names a dataset or raw text
 * @param output folder for dataset, checkpoints, metrics and summary, on a file system that driver
 *     and executors reach
 * @param ranks how many share each step; empty: one for each executor, as many as there are at each
 *     start and restart, in local mode one
 * @param device {@code auto}, {@code gpu}, {@code cpu}, an index, {@code pci:ADDRESS}, part of a
 *     name, or {@code java} for the slow definitions without OpenCL
 * @param maxRestarts how often a run that lost an executor is started again without reaching
 *     another checkpoint
 * @param resume go on from the newest checkpoint in {@code output} where it holds one
 */
public record TrainingRequest(
    RunConfiguration configuration,
    String output,
    OptionalInt ranks,
    String device,
    int maxRestarts,
    boolean resume) {

  /** Restarts without progress before a run is given up. */
  public static final int DEFAULT_MAX_RESTARTS = 8;

  public TrainingRequest {
    requireNonNull(configuration, "configuration");
    requireNonNull(output, "output");
    requireNonNull(device, "device");
    if (ranks.isPresent() && ranks.getAsInt() < 1) {
      throw new IllegalArgumentException("ranks must be at least 1, but are " + ranks.getAsInt());
    }
    if (maxRestarts < 0) {
      throw new IllegalArgumentException("restarts must be at least 0, but are " + maxRestarts);
    }
  }

  /** With the defaults: ranks and device chosen, resumed where a checkpoint is. */
  public static TrainingRequest of(RunConfiguration configuration, String output) {
    return new TrainingRequest(
        configuration, output, OptionalInt.empty(), "auto", DEFAULT_MAX_RESTARTS, true);
  }

  public TrainingRequest withConfiguration(RunConfiguration value) {
    return new TrainingRequest(value, output, ranks, device, maxRestarts, resume);
  }

  public TrainingRequest withRanks(OptionalInt value) {
    return new TrainingRequest(configuration, output, value, device, maxRestarts, resume);
  }

  public TrainingRequest withDevice(String value) {
    return new TrainingRequest(configuration, output, ranks, value, maxRestarts, resume);
  }

  public TrainingRequest withMaxRestarts(int value) {
    return new TrainingRequest(configuration, output, ranks, device, value, resume);
  }

  public TrainingRequest withResume(boolean value) {
    return new TrainingRequest(configuration, output, ranks, device, maxRestarts, value);
  }
}
