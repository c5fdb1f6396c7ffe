package org.sparkformer.app.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeMap;
import org.sparkformer.app.InputException;

/**
 * What a run's folder tells of it.
 *
 * @param steps metric lines in the order of their step; of a step that was repeated after a
 *     restart, the last line
 * @param evaluations evaluation lines, likewise
 * @param samples text the model wrote, in the order written; each with {@code text} and perhaps
 *     {@code step}, {@code prompt}
 * @param summary {@code run.json}; an empty object while the run has not ended
 */
public record RunHistory(
    List<JsonNode> steps, List<JsonNode> evaluations, List<JsonNode> samples, ObjectNode summary) {
  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * @throws InputException when the folder holds no metrics or they cannot be read
   */
  public static RunHistory read(Path folder) throws InputException {
    Path metrics = folder.resolve("metrics.jsonl");
    if (!Files.isRegularFile(metrics)) {
      throw new InputException(
          "no metrics.jsonl in " + folder + ": give the output folder of a training run");
    }
    TreeMap<Long, JsonNode> steps = new TreeMap<>();
    TreeMap<Long, JsonNode> evaluations = new TreeMap<>();
    for (JsonNode line : lines(metrics)) {
      (line.has("val_loss") ? evaluations : steps).put(line.path("step").asLong(), line);
    }
    Path samples = folder.resolve("samples.jsonl");
    return new RunHistory(
        List.copyOf(steps.values()),
        List.copyOf(evaluations.values()),
        Files.isRegularFile(samples) ? lines(samples) : List.of(),
        summary(folder.resolve("run.json")));
  }

  private static ObjectNode summary(Path file) throws InputException {
    if (!Files.isRegularFile(file)) {
      return JSON.createObjectNode();
    }
    try {
      if (JSON.readTree(file.toFile()) instanceof ObjectNode object) {
        return object;
      }
      throw new InputException(file + " is not one JSON object");
    } catch (IOException broken) {
      throw new InputException("cannot read " + file + ": " + firstLine(broken), broken);
    }
  }

  private static List<JsonNode> lines(Path file) throws InputException {
    try {
      List<String> lines = Files.readAllLines(file);
      List<JsonNode> parsed = new ArrayList<>(lines.size());
      for (int i = 0; i < lines.size(); i++) {
        parse(file, lines, i, parsed);
      }
      return parsed;
    } catch (IOException unreadable) {
      throw new InputException("cannot read " + file + ": " + firstLine(unreadable), unreadable);
    }
  }

  /** The last line may be torn: the run is being written, or was killed while it wrote. */
  private static void parse(Path file, List<String> lines, int i, Collection<JsonNode> into)
      throws InputException {
    if (lines.get(i).isBlank()) {
      return;
    }
    try {
      into.add(JSON.readTree(lines.get(i)));
    } catch (JsonProcessingException torn) {
      if (i < lines.size() - 1) {
        throw new InputException(file + ":" + (i + 1) + ": " + torn.getOriginalMessage(), torn);
      }
    }
  }

  private static String firstLine(Exception error) {
    return String.valueOf(error.getMessage()).lines().findFirst().orElse("");
  }
}
