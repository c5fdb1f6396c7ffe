package org.sparkformer.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.sparkformer.app.Sparkformer;
import org.sparkformer.testkit.LoggedProcess;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code sparkformer bench ranks}. */
@Command(
    name = "ranks",
    description = "Trains on more and more ranks of one process, which share this machine.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Example:",
      "  sparkformer bench ranks --ranks 2 --wire fp32 --overlap true --set training.zero_stage=3"
    })
final class RanksCommand implements Callable<Integer> {
  private static final Duration LONGEST = Duration.ofMinutes(10);

  @Spec private CommandSpec spec;
  @Mixin private ScalingRuns runs;

  @Override
  public Integer call() throws IOException, InterruptedException {
    try (MeasurementFolder folder = MeasurementFolder.create("bench-ranks")) {
      runs.measure(
          folder.path(),
          spec.commandLine().getOut(),
          (variant, run, arguments) -> train(folder, variant, run, arguments));
    }
    return 0;
  }

  private static void train(
      MeasurementFolder folder, ScalingRuns.Variant variant, Path run, List<String> training)
      throws IOException, InterruptedException {
    List<String> arguments = new ArrayList<>(training);
    arguments.addAll(List.of("--ranks", Integer.toString(variant.ranks())));
    arguments.addAll(List.of("--master", "local[" + variant.ranks() + "]"));
    List<String> command =
        LoggedProcess.java(List.of("-XX:MaxRAMPercentage=40"), Sparkformer.class, arguments);
    Path log = run.resolveSibling(run.getFileName() + ".log");
    try (LoggedProcess process = LoggedProcess.start(log, Map.of(), command)) {
      folder.writtenBy(process::close);
      if (process.exitCode(LONGEST) != 0) {
        throw new IOException("%s failed: %s".formatted(run, process.log()));
      }
    }
  }
}
