package org.sparkformer.bench;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import picocli.CommandLine.Option;

/**
 * Training runs that differ in the number of ranks and in how these exchange their gradients and
 * weights, and the table of them: what {@code bench hosts} and {@code bench ranks} have in common.
 */
final class ScalingRuns {
  private static final String CONFIGURATION_FILE = "scaling.yaml";
  private static final String TEXT_FILE = "text.txt";

  /**
   * 19 M parameters: several buckets of gradients, 76 MB a step in fp32. A step that is logged
   * waits for all weights, where others have them come during the next.
   */
  private static final String CONFIGURATION =
      """
      model: {layers: 6, heads: 8, width: 512, context: 128}
      data: {tokenizer: char}
      training: {steps: %d, batch_size: 16, micro_batch_size: 4, eval_interval: 0,
        checkpoint_interval: 0, log_interval: 4, warmup_steps: 2}
      """;

  @Option(
      names = "--ranks",
      split = ",",
      defaultValue = "1,2,4",
      description = "Numbers of ranks, all compared with the first (default ${DEFAULT-VALUE}).")
  private List<Integer> ranks;

  @Option(
      names = "--wire",
      split = ",",
      defaultValue = "fp32,bf16",
      description = "Values of training.wire_precision (default ${DEFAULT-VALUE}).")
  private List<String> wires;

  @Option(
      names = "--gather",
      split = ",",
      defaultValue = "direct",
      description =
          "How ranks put their weights together: direct or ring (default ${DEFAULT-VALUE}).")
  private List<Gather> gathers;

  @Option(
      names = "--overlap",
      arity = "1",
      split = ",",
      defaultValue = "true,false",
      description = "Values of training.overlap (default ${DEFAULT-VALUE}).")
  private List<Boolean> overlaps;

  @Option(
      names = "--steps",
      defaultValue = "16",
      description =
          "At least 8; what counts are means over four steps, after the first four (default"
              + " ${DEFAULT-VALUE}).")
  private int steps;

  @Option(names = "--set", paramLabel = "KEY=VALUE", description = "As for train.")
  private List<String> overrides = new ArrayList<>();

  private enum Gather {
    DIRECT,
    RING
  }

  /** A run. */
  record Variant(int ranks, String wire, String gather, boolean overlap) {
    /** The options of {@code train} that say so. */
    List<String> settings() {
      return List.of(
          "--set",
          "training.wire_precision=" + wire,
          "--set",
          "training.direct_ranks=" + (gather.equals("ring") ? 1 : ranks),
          "--set",
          "training.overlap=" + overlap);
    }

    /** A folder's name. */
    String name() {
      return "%d-%s-%s-%s".formatted(ranks, wire, gather, overlap);
    }
  }

  /** Trains in a way of its own. */
  interface Trainer {
    /**
     * @param arguments of {@code train}, but for what says where; they name the folder {@code run}
     */
    void train(Variant variant, Path run, List<String> arguments)
        throws IOException, InterruptedException;
  }

  int mostRanks() {
    return ranks.stream().mapToInt(Integer::intValue).max().orElseThrow();
  }

  /** One after the other; a single rank exchanges nothing and is run once. */
  private List<Variant> variants() {
    List<Variant> variants = new ArrayList<>();
    for (int count : ranks) {
      for (String wire : first(wires, count)) {
        for (Gather gather : first(gathers, count)) {
          for (boolean overlap : first(overlaps, count)) {
            String way = gather.name().toLowerCase(Locale.ROOT);
            variants.add(new Variant(count, wire, way, overlap));
          }
        }
      }
    }
    return variants;
  }

  private static <T> List<T> first(List<T> values, int ranks) {
    return ranks == 1 ? values.subList(0, 1) : values;
  }

  /**
   * Trains each variant and prints a line of it.
   *
   * @param folder for what is read and written; exists
   */
  void measure(Path folder, PrintWriter out, Trainer trainer)
      throws IOException, InterruptedException {
    Files.writeString(folder.resolve(CONFIGURATION_FILE), CONFIGURATION.formatted(steps));
    Files.writeString(folder.resolve(TEXT_FILE), letters());
    out.println(ScalingRow.HEADER);
    ScalingRow first = null;
    for (Variant variant : variants()) {
      Path run = folder.resolve(variant.name());
      trainer.train(variant, run, arguments(variant, run));
      ScalingRow row = ScalingRow.read(run);
      first = first == null ? row : first;
      out.println(row.line(variant, first));
      out.flush();
    }
  }

  private List<String> arguments(Variant variant, Path run) {
    List<String> arguments = new ArrayList<>();
    arguments.addAll(List.of("train", run.resolveSibling(CONFIGURATION_FILE).toString()));
    arguments.addAll(List.of("--out", run.toString()));
    arguments.addAll(List.of("--set", "data.input=" + run.resolveSibling(TEXT_FILE)));
    arguments.addAll(variant.settings());
    overrides.forEach(override -> arguments.addAll(List.of("--set", override)));
    return arguments;
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
}
