package org.sparkformer.app.command;

import java.util.List;
import java.util.OptionalInt;
import org.sparkformer.spark.TrainingRequest;
import org.sparkformer.training.configuration.RunConfiguration;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Where and how a run happens; nothing here changes its numbers but {@code --set}. */
final class RunOptions {
  @Mixin private ClusterOption cluster;
  @Mixin private DeviceOption device;

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description =
          "Override a key of the configuration, such as training.steps=100; may be given several"
              + " times. The keys: README.md, or train --dry-run.")
  private List<String> overrides = List.of();

  @Option(
      names = "--ranks",
      paramLabel = "N",
      description =
          "Ranks that share each step; any number up to that of its micro-batches gives the same"
              + " weights (default: one for each executor, also where some are lost or come later; in"
              + " local mode 1, for quickstart 2).")
  private Integer ranks;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description =
          "Output folder, on any Hadoop file system (default: runs/, and in it the name of the"
              + " configuration).")
  private String output;

  @Option(
      names = "--no-resume",
      negatable = true,
      description =
          "With --no-resume, refuse a folder that holds checkpoints instead of going on from"
              + " the newest one (default: --resume).")
  private boolean fresh;

  @Option(
      names = "--max-restarts",
      paramLabel = "N",
      defaultValue = "" + TrainingRequest.DEFAULT_MAX_RESTARTS,
      description =
          "Restarts from the newest checkpoint after a failure, such as a lost executor; each new"
              + " checkpoint allows as many again (default: ${DEFAULT-VALUE}).")
  private int maxRestarts;

  ClusterOption cluster() {
    return cluster;
  }

  String device() {
    return device.value();
  }

  List<String> overrides() {
    return overrides;
  }

  OptionalInt ranks() {
    return ranks == null ? OptionalInt.empty() : OptionalInt.of(ranks);
  }

  String outputOr(String usual) {
    return output == null ? usual : output;
  }

  boolean resumes() {
    return !fresh;
  }

  TrainingRequest request(RunConfiguration configuration, String folder, OptionalInt count) {
    return new TrainingRequest(configuration, folder, count, device.value(), maxRestarts, !fresh);
  }
}
