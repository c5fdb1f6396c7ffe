package org.sparkformer.app.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** The JSON that the page's script draws: columns instead of lines, and the figures on top. */
final class ReportData {
  /** More points than this a screen cannot show. */
  static final int MOST_POINTS = 4000;

  private static final String[] STEP_COLUMNS = {
    "step",
    "loss",
    "lr",
    "grad_norm",
    "tokens_per_second",
    "step_ms",
    "forward_ms",
    "backward_ms",
    "allreduce_ms",
    "allreduce_exposed_ms",
    "data_wait_ms"
  };
  private static final ObjectMapper JSON = new ObjectMapper();

  private final RunHistory history;

  ReportData(RunHistory history) {
    this.history = history;
  }

  String title() {
    return history.summary().path("configuration").path("name").asText("Training run");
  }

  ObjectNode build() {
    ObjectNode data = JSON.createObjectNode();
    List<JsonNode> thinned = thin(history.steps());
    data.set("steps", columns(thinned, STEP_COLUMNS));
    data.set("ranks", ranks(thinned));
    data.set("evaluations", columns(history.evaluations(), "step", "val_loss"));
    data.set("headline", headline());
    data.set("facts", facts());
    data.set("samples", JSON.createArrayNode().addAll(history.samples()));
    data.put("configuration", configuration());
    if (thinned.size() < history.steps().size()) {
      data.put(
          "thinned",
          "Charts show " + thinned.size() + " of " + history.steps().size() + " logged steps.");
    }
    return data;
  }

  private ObjectNode headline() {
    ObjectNode headline = JSON.createObjectNode();
    JsonNode last = last(history.steps());
    JsonNode summary = history.summary();
    headline.set("step", last.path("step"));
    headline.set("tokens", last.path("tokens"));
    headline.set("loss", summary.has("loss") ? summary.get("loss") : last.path("loss"));
    headline.set(
        "val_loss",
        summary.has("val_loss")
            ? summary.get("val_loss")
            : last(history.evaluations()).path("val_loss"));
    headline.put("tokens_per_second", medianThroughput());
    for (String key : List.of("parameters", "wall_seconds", "device", "ranks", "weights_sha256")) {
      headline.set(key, summary.path(key));
    }
    headline.put("summary", sentence());
    // A missing node would be written as nothing at all and break the JSON.
    headline.properties().removeIf(field -> field.getValue().isMissingNode());
    return headline;
  }

  private String sentence() {
    JsonNode model = history.summary().path("configuration").path("model");
    if (model.isMissingNode()) {
      return "This run has not ended yet.";
    }
    String architecture = model.path("architecture").asText("gpt").toUpperCase(Locale.ROOT);
    return architecture
        + " · %s layers · %s heads · width %s · context %s · vocabulary %s"
            .formatted(
                Stream.of("layers", "heads", "width", "context", "vocab_size")
                    .map(key -> model.path(key).asText("?"))
                    .toArray());
  }

  /** Whatever else the run says of itself in one value. */
  private ObjectNode facts() {
    ObjectNode facts = JSON.createObjectNode();
    for (String key : List.of("kernels", "master", "started", "version")) {
      if (history.summary().path(key).isValueNode()) {
        facts.set(
            Character.toUpperCase(key.charAt(0)) + key.substring(1), history.summary().get(key));
      }
    }
    return facts;
  }

  private Double medianThroughput() {
    double[] sorted =
        history.steps().stream()
            .map(line -> line.path("tokens_per_second"))
            .filter(JsonNode::isNumber)
            .mapToDouble(JsonNode::asDouble)
            .sorted()
            .toArray();
    return sorted.length == 0 ? null : sorted[sorted.length / 2];
  }

  private String configuration() {
    JsonNode configuration = history.summary().path("configuration");
    if (!configuration.isObject()) {
      return "";
    }
    try {
      return YAMLMapper.builder()
          .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
          .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
          .build()
          .writeValueAsString(withoutNulls(configuration));
    } catch (com.fasterxml.jackson.core.JsonProcessingException impossible) {
      throw new IllegalStateException("a JSON tree always serialises", impossible);
    }
  }

  private static JsonNode withoutNulls(JsonNode tree) {
    JsonNode copy = tree.deepCopy();
    strip(copy);
    return copy;
  }

  private static void strip(JsonNode node) {
    if (node instanceof ObjectNode object) {
      object.properties().removeIf(field -> field.getValue().isNull());
      object.forEach(ReportData::strip);
    }
  }

  private static List<JsonNode> thin(List<JsonNode> lines) {
    int stride = (lines.size() + MOST_POINTS - 1) / MOST_POINTS;
    if (stride <= 1) {
      return lines;
    }
    List<JsonNode> kept = new ArrayList<>();
    for (int i = 0; i < lines.size(); i += stride) {
      kept.add(lines.get(i));
    }
    return kept;
  }

  private static ObjectNode columns(List<JsonNode> lines, String... names) {
    ObjectNode columns = JSON.createObjectNode();
    for (String name : names) {
      ArrayNode column = columns.putArray(name);
      for (JsonNode line : lines) {
        JsonNode value = line.path(name);
        // NaN, which JSON has no number for, leaves a gap in the line.
        column.add(value.isNumber() && Double.isFinite(value.asDouble()) ? value : null);
      }
    }
    return columns;
  }

  /** The slowest, the median and the fastest rank of each step; nulls where there is one rank. */
  private static ObjectNode ranks(List<JsonNode> lines) {
    ObjectNode columns = JSON.createObjectNode();
    ArrayNode slowest = columns.putArray("slowest");
    ArrayNode median = columns.putArray("median");
    ArrayNode fastest = columns.putArray("fastest");
    for (JsonNode line : lines) {
      double[] sorted =
          line.path("rank_step_ms")
              .valueStream()
              .mapToDouble(JsonNode::asDouble)
              .sorted()
              .toArray();
      boolean several = sorted.length > 1;
      slowest.add(several ? (Double) sorted[sorted.length - 1] : null);
      median.add(several ? (Double) median(sorted) : null);
      fastest.add(several ? (Double) sorted[0] : null);
    }
    return columns;
  }

  /** Of an even number, between the two in the middle: of two ranks it is neither. */
  private static double median(double[] sorted) {
    return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
  }

  private static JsonNode last(List<JsonNode> lines) {
    return lines.isEmpty() ? JSON.missingNode() : lines.get(lines.size() - 1);
  }
}
