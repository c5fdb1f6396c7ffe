package org.sparkformer.app.deploy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkformer.app.Sparkformer;
import picocli.CommandLine;

/** {@code deploy/kubernetes} against the Spark operator's published API. */
class KubernetesManifestsTest {
  private static final Path FOLDER = Path.of("../../deploy/kubernetes");
  private static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());

  static List<Path> manifests() throws IOException {
    try (Stream<Path> files = Files.list(FOLDER)) {
      return files.filter(file -> file.toString().endsWith(".yaml")).sorted().toList();
    }
  }

  @Test
  void bothKindsAreThere() throws IOException {
    List<String> kinds = new ArrayList<>();
    for (Path manifest : manifests()) {
      kinds.add(read(manifest).path("kind").asText());
    }
    assertEquals(List.of("ScheduledSparkApplication", "SparkApplication"), kinds);
  }

  @ParameterizedTest
  @MethodSource("manifests")
  void theOperatorKnowsEveryFieldAndValue(Path file) throws IOException {
    JsonNode manifest = read(file);
    assertEquals("sparkoperator.k8s.io/v1beta2", manifest.path("apiVersion").asText());
    assertTrue(manifest.at("/metadata/name").asText().matches("[a-z0-9]([-a-z0-9]*[a-z0-9])?"));
    assertEquals(List.of(), OperatorFields.errors(manifest));
  }

  @ParameterizedTest
  @MethodSource("manifests")
  void theCommandInsideIsOneOfOurs(Path file) throws Exception {
    JsonNode application = application(read(file));
    Class.forName(application.path("mainClass").asText());
    List<String> arguments = new ArrayList<>();
    application.path("arguments").forEach(argument -> arguments.add(argument.asText()));
    CommandLine.ParseResult parsed =
        Sparkformer.commandLine().parseArgs(arguments.toArray(String[]::new));
    assertEquals("train", parsed.subcommand().commandSpec().name());
  }

  @ParameterizedTest
  @MethodSource("manifests")
  void theDriverIsGivenLongerThanItTakesToWriteACheckpoint(Path file) throws IOException {
    JsonNode application = application(read(file));
    int pod = application.at("/driver/terminationGracePeriodSeconds").asInt();
    String grace = application.at("/sparkConf/spark.sparkformer.stopGrace").asText();
    assertTrue(pod >= 20 + Integer.parseInt(grace.replace("s", "")), pod + " against " + grace);
  }

  @Test
  void scheduledRunsNeverOverlapByTheSchedule() throws IOException {
    JsonNode spec = read(FOLDER.resolve("scheduled.yaml")).path("spec");
    assertEquals("Forbid", spec.path("concurrencyPolicy").asText());
    assertEquals("Never", spec.at("/template/restartPolicy/type").asText());
    assertEquals(5, spec.path("schedule").asText().split(" ").length);
  }

  @ParameterizedTest
  @CsvSource({
    "'', specification, none, specification is not known",
    "/metadata, lables, none, metadata.lables is not known",
    "/spec, concurencyPolicy, Forbid, spec.concurencyPolicy is not known",
    "/spec, concurrencyPolicy, Sometimes, spec.concurrencyPolicy must be one of",
    "/spec/template/restartPolicy, type, Perhaps, spec.restartPolicy.type must be one of",
    "/spec/template/driver, cores, two, spec.driver.cores must be of type integer",
    "/spec/template/executor, replicas, 3, spec.executor.replicas is not known",
    "/spec/template, mode, cloud, spec.mode must be one of"
  })
  void aWrongFieldIsFound(String parent, String name, String value, String complaint)
      throws IOException {
    JsonNode manifest = read(FOLDER.resolve("scheduled.yaml"));
    ((ObjectNode) manifest.at(parent)).put(name, value);
    List<String> errors = OperatorFields.errors(manifest);
    assertEquals(1, errors.size(), errors.toString());
    assertTrue(errors.get(0).startsWith(complaint), errors.toString());
  }

  @ParameterizedTest
  @CsvSource({
    "/spec, schedule, spec.schedule is missing",
    "/spec/template, sparkVersion, spec.sparkVersion is missing"
  })
  void aFieldThatIsLeftOutIsFound(String parent, String name, String complaint) throws IOException {
    JsonNode manifest = read(FOLDER.resolve("scheduled.yaml"));
    ((ObjectNode) manifest.at(parent)).remove(name);
    assertEquals(List.of(complaint), OperatorFields.errors(manifest));
  }

  private static JsonNode application(JsonNode manifest) {
    JsonNode spec = manifest.path("spec");
    return spec.has("template") ? spec.path("template") : spec;
  }

  private static JsonNode read(Path file) throws IOException {
    return YAML.readTree(file.toFile());
  }
}
