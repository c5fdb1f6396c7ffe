package org.sparkformer.bench;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import org.sparkformer.app.Sparkformer;
import org.sparkformer.testkit.LoggedProcess;
import org.sparkformer.testkit.StandaloneCluster;
import picocli.CommandLine.Command;
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

  /** 19 M parameters: several buckets of gradients, 76 MB a step in fp32. */
  private static final String CONFIGURATION =
      """
      model: {layers: 6, heads: 8, width: 512, context: 128}
      data: {tokenizer: char}
      training: {steps: %d, batch_size: 16, micro_batch_size: 4, eval_interval: 0,
        checkpoint_interval: 0, log_interval: 1, warmup_steps: 2}
      """;

  @Spec private CommandSpec spec;

  @Option(
      names = "--ranks",
      split = ",",
      defaultValue = "1,2,4",
      description = "Hosts that train, one rank each (default ${DEFAULT-VALUE}).")
  private List<Integer> ranks;

  @Option(
      names = "--wire",
      split = ",",
      defaultValue = "fp32,bf16",
      description =
          "Wire precisions to try, as training.wire_precision (default ${DEFAULT-VALUE}).")
  private List<String> wires;

  @Option(
      names = "--share",
      defaultValue = "50",
      description =
          "Percent of one processor that each host has; all together must find room on this machine"
              + " (default ${DEFAULT-VALUE}).")
  private int share;

  @Option(names = "--steps", defaultValue = "8", description = "Default ${DEFAULT-VALUE}.")
  private int steps;

  @Option(names = "--set", paramLabel = "KEY=VALUE", description = "As for train.")
  private List<String> overrides = new ArrayList<>();

  @Override
  public Integer call() throws IOException, InterruptedException {
    int count = ranks.stream().mapToInt(Integer::intValue).max().orElseThrow();
    Path folder = Files.createTempDirectory("bench-hosts");
    try (NetworkHosts hosts =
            NetworkHosts.up(Path.of(System.getProperty("org.sparkformer.hosts")), count, share);
        StandaloneCluster cluster =
            StandaloneCluster.start(
                Path.of(System.getenv("SPARK_HOME")), folder, hosts.front(), hosts.all())) {
      out().println(hosts.description());
      out().printf("%s%n%s%n", "each with " + share + " % of a processor", HostsRow.HEADER);
      measure(cluster, folder);
    } finally {
      Folders.delete(folder);
    }
    return 0;
  }

  private void measure(StandaloneCluster cluster, Path folder)
      throws IOException, InterruptedException {
    Path configuration = folder.resolve("hosts.yaml");
    Files.writeString(configuration, CONFIGURATION.formatted(steps));
    Path text = Files.writeString(folder.resolve("text.txt"), letters());
    HostsRow first = null;
    for (int count : ranks) {
      for (String wire : count == 1 ? wires.subList(0, 1) : wires) {
        Path run = folder.resolve(wire + "-" + count);
        List<String> arguments = submission(count);
        arguments.addAll(List.of("train", configuration.toString(), "--out", run.toString()));
        arguments.addAll(List.of("--set", "data.input=" + text));
        arguments.addAll(List.of("--set", "training.wire_precision=" + wire));
        overrides.forEach(override -> arguments.addAll(List.of("--set", override)));
        HostsRow row = train(cluster, run, arguments);
        first = first == null ? row : first;
        out().println(row.line(wire, first));
        out().flush();
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

  private static HostsRow train(StandaloneCluster cluster, Path run, List<String> arguments)
      throws IOException, InterruptedException {
    try (LoggedProcess driver = cluster.submit(run.getFileName().toString(), arguments)) {
      if (driver.exitCode(LONGEST) != 0) {
        throw new IOException("%s failed: %s".formatted(run, driver.log()));
      }
    }
    return HostsRow.read(run);
  }

  /** As many different ones as English text has, at random. */
  private static String letters() {
    Random random = new Random(1);
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 200_000; i++) {
      text.append((char) ('!' + random.nextInt(65)));
    }
    return text.toString();
  }

  private PrintWriter out() {
    return spec.commandLine().getOut();
  }
}
