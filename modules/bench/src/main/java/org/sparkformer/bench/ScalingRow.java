package org.sparkformer.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A line of {@code bench hosts} and {@code bench ranks}: medians over the logged lines of a run,
 * each of which is a mean over some steps, in milliseconds.
 *
 * @param step wall time
 * @param exchange time in collective operations
 * @param exposed what of that the step waits for
 * @param exposedReduce what of that it waits for gradients, before it waits for weights
 */
record ScalingRow(
    int ranks,
    double tokensPerSecond,
    double step,
    double exchange,
    double exposed,
    double exposedReduce) {
  static final String HEADER =
      "%5s %5s %7s %8s %9s %8s %11s %10s %9s %8s"
          .formatted(
              "ranks",
              "wire",
              "gather",
              "overlap",
              "tokens/s",
              "step ms",
              "exchange ms",
              "exposed ms",
              "reduce ms",
              "scaling");

  /** The first steps build kernels and fill caches. */
  private static final int WARM_UP = 4;

  /**
   * From the metrics of a finished run.
   *
   * @throws IOException if it had no steps but the first
   */
  static ScalingRow read(Path run) throws IOException {
    ObjectMapper json = new ObjectMapper();
    List<JsonNode> steps = new ArrayList<>();
    for (String line : Files.readAllLines(run.resolve("metrics.jsonl"))) {
      JsonNode node = json.readTree(line);
      if (node.has("step_ms") && node.get("step").asInt() > WARM_UP) {
        steps.add(node);
      }
    }
    if (steps.isEmpty()) {
      throw new IOException(
          run + " has no steps but the first " + WARM_UP + ", which do not count");
    }
    return new ScalingRow(
        json.readTree(run.resolve("run.json").toFile()).get("ranks").asInt(),
        median(steps, "tokens_per_second"),
        median(steps, "step_ms"),
        median(steps, "allreduce_ms"),
        median(steps, "allreduce_exposed_ms"),
        median(steps, "reduce_exposed_ms"));
  }

  private static double median(List<JsonNode> steps, String key) {
    return Rounds.median(steps.stream().mapToDouble(step -> step.get(key).asDouble()).toArray());
  }

  /**
   * @param first that this one is compared with: 100 % is as many times its speed as ranks
   */
  String line(ScalingRuns.Variant variant, ScalingRow first) {
    boolean alone = ranks == 1;
    return String.format(
        Locale.ROOT,
        "%5d %5s %7s %8s %9.0f %8.0f %11.0f %10.0f %9.0f %7.0f%%",
        ranks,
        alone ? "" : variant.wire(),
        alone ? "" : variant.gather(),
        alone ? "" : variant.overlap() ? "yes" : "no",
        tokensPerSecond,
        step,
        exchange,
        exposed,
        exposedReduce,
        100 * first.step() * first.ranks() / ranks / step);
  }
}
