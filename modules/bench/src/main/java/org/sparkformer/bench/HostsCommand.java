package org.sparkformer.bench;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.sparkformer.app.Sparkformer;
import org.sparkformer.testkit.LoggedProcess;
import org.sparkformer.testkit.StandaloneCluster;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code sparkformer bench hosts}. */
@Command(
    name = "hosts",
    description =
        "Trains on a standalone cluster of network namespaces with links of 1 Gbit/s and 0.2 ms, on"
            + " more and more of them. Needs root and iproute2.",
    mixinStandardHelpOptions = true)
final class HostsCommand implements Callable<Integer> {
  private static final Duration LONGEST = Duration.ofMinutes(10);

  @Spec private CommandSpec spec;

  @Mixin private ScalingRuns runs;

  @Option(
      names = "--share",
      defaultValue = "50",
      description =
          "Percent of one processor that each host has; all together must find room on this machine"
              + " (default ${DEFAULT-VALUE}).")
  private int share;

  @Override
  public Integer call() throws IOException, InterruptedException {
    Path script = Path.of(System.getProperty("org.sparkformer.hosts"));
    try (MeasurementFolder folder = MeasurementFolder.create("bench-hosts");
        NetworkHosts hosts = NetworkHosts.up(script, runs.mostRanks(), share)) {
      // All that write run on the hosts, and end with them.
      folder.writtenBy(hosts::close);
      measure(folder.path(), hosts);
    }
    return 0;
  }

  private void measure(Path folder, NetworkHosts hosts) throws IOException, InterruptedException {
    try (StandaloneCluster cluster =
        StandaloneCluster.start(
            Path.of(System.getenv("SPARK_HOME")), folder, hosts.front(), hosts.all())) {
      PrintWriter out = spec.commandLine().getOut();
      out.printf("%s%neach with %d %% of a processor%n", hosts.description(), share);
      runs.measure(
          folder, out, (variant, run, arguments) -> train(cluster, variant, run, arguments));
    }
  }

  private static void train(
      StandaloneCluster cluster, ScalingRuns.Variant variant, Path run, List<String> training)
      throws IOException, InterruptedException {
    List<String> arguments = submission(variant.ranks());
    arguments.addAll(training);
    try (LoggedProcess driver = cluster.submit(run.getFileName() + "-driver", arguments)) {
      if (driver.exitCode(LONGEST) != 0) {
        throw new IOException("%s failed: %s".formatted(run, driver.log()));
      }
    }
  }

  private static List<String> submission(int count) {
    Path jar =
        Path.of(Sparkformer.class.getProtectionDomain().getCodeSource().getLocation().getPath());
    List<String> arguments = new ArrayList<>();
    arguments.addAll(List.of("--total-executor-cores", Integer.toString(count)));
    arguments.addAll(List.of("--executor-cores", "1", "--executor-memory", "1g"));
    arguments.addAll(List.of("--class", Sparkformer.class.getName(), jar.toString()));
    return arguments;
  }
}
