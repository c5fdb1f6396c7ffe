package org.sparkformer.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkformer.app.Sparkformer;
import picocli.CommandLine;

class StepCommandTest {
  private static final int MICRO_BATCHES = 4;
  private static final int TOKENS_OF_GPT_CHAR = 12 * 64;

  private final StringWriter out = new StringWriter();

  @Test
  void measuresAndTracesTheStepsOfAConfiguration(@TempDir Path folder) throws IOException {
    Path json = folder.resolve("step.json");
    Path trace = folder.resolve("trace.json");
    int exit =
        run(
            "--set=model.layers=2",
            "--rounds=2",
            "--steps=5",
            "--json=" + json,
            "--trace=" + trace);
    assertEquals(0, exit, out::toString);
    JsonNode result = new ObjectMapper().readTree(json.toFile());
    assertEquals(TOKENS_OF_GPT_CHAR, result.get("tokens_per_step").asInt());
    assertTrue(result.get("tokens_per_second").asDouble() > 0);
    assertTrue(result.get("forward_ms").asDouble() < result.get("step_ms").asDouble());
    for (String field :
        List.of(
            "backward_ms",
            "optimizer_ms",
            "data_ms",
            "peak_device_bytes",
            "peak_host_bytes",
            "model_flops_utilisation")) {
      assertTrue(result.get(field).asDouble() > 0, field);
    }
    assertTrue(result.get("optimizer_ms").asDouble() < result.get("step_ms").asDouble());
    assertTrue(result.has("all_reduce_ms"));
    assertEquals(0, result.get("new_buffers").asInt(), "buffers after warm-up");
    assertEquals(3, result.get("host_waits").asDouble(), "the loss, the end, the norm");
    assertEquals(0, result.get("mark_waits").asDouble(), "every step is logged");
    JsonNode events = new ObjectMapper().readTree(trace.toFile()).get("traceEvents");
    assertEquals(result.get("launches").asDouble(), count(events, "cat", "kernel"));
    assertEquals(1, count(events, "name", "adamw.cl:adamw"));
    assertEquals(2, count(events, "name", "read"), "the loss and the norm");
    assertTrue(count(events, "name", "write") >= MICRO_BATCHES, "tokens of each");
    assertEquals(1, count(events, "name", "thread_name"), "the one queue that a processor needs");
  }

  /** As above for the other family, and for weights and activations in bf16. */
  @ParameterizedTest
  @CsvSource({"gpt-char, bf16", "bert-base, fp32", "bert-base, bf16"})
  void noStepWaitsOrAllocatesWhateverItTrains(
      String configuration, String precision, @TempDir Path folder) throws IOException {
    Path json = folder.resolve("step.json");
    List<String> options = new ArrayList<>(List.of("--rounds=2", "--steps=5", "--json=" + json));
    Stream.of(
            "training.precision=" + precision,
            "training.batch_size=4",
            "training.micro_batch_size=2",
            "model.layers=2",
            "model.heads=2",
            "model.width=64",
            "model.context=32",
            "model.vocab_size=300")
        .map("--set="::concat)
        .forEach(options::add);
    assertEquals(0, runOf(configuration, options), out::toString);
    JsonNode result = new ObjectMapper().readTree(json.toFile());
    assertEquals(0, result.get("new_buffers").asInt(), "buffers after warm-up");
    assertEquals(3, result.get("host_waits").asDouble(), "the loss, the end, the norm");
    assertEquals(0, result.get("mark_waits").asDouble(), "every step is logged");
  }

  @Test
  void refusesAnUnknownKeyInOneLine() {
    assertEquals(2, run("--set=model.layer=2"));
    assertTrue(out.toString().contains("did you mean layers?"), out::toString);
    assertEquals(1, out.toString().lines().count(), out::toString);
  }

  @Test
  void refusesFewerStepsThanAMedianWants() {
    assertEquals(2, run("--rounds=3", "--steps=3"));
    assertTrue(out.toString().contains("--rounds 3 --steps 3"), out::toString);
    assertEquals(1, out.toString().lines().count(), out::toString);
    assertEquals(2, run("--rounds=-5", "--steps=-5"));
  }

  @Test
  void refusesAPeerThatThereIsNotBeforeAnEnvironmentIsMadeForIt() {
    assertEquals(2, run("--peer=eager,jit"));
    assertTrue(out.toString().contains("'jit'"), out::toString);
    assertEquals(1, out.toString().lines().count(), out::toString);
  }

  /** A peer that says that each of its steps takes a second, and notes its turns. */
  private static final String STAND_IN =
      """
      #!/usr/bin/env bash
      while [[ $1 != --mode ]]; do shift; done
      echo '{"version": "a stand-in"}'
      while read -r steps; do
        echo "$2 $steps" >>"${0%/*}/turns"
        printf '[1000.0'
        for ((i = 1; i < steps; i++)); do printf ', 1000.0'; done
        echo ']'
      done
      """;

  @Test
  void peersTakeTurnsWithItAndAreHeldToItRoundByRound(@TempDir Path folder) throws IOException {
    Path standIn = script(folder.resolve("python"), STAND_IN);
    script(folder.resolve("python.sh"), "#!/bin/sh\necho '" + standIn + "'\n");
    Path json = folder.resolve("step.json");
    System.setProperty("org.sparkformer.peers", folder.toString());
    try {
      List<String> options =
          List.of("--set=model.layers=1", "--peer=eager,compile-bf16", "--rounds=3", "--steps=4");
      List<String> all = Stream.concat(options.stream(), Stream.of("--json=" + json)).toList();
      assertEquals(0, runOf("gpt-char", all), out::toString);
    } finally {
      System.clearProperty("org.sparkformer.peers");
    }
    assertEquals(
        List.of("eager 4", "compile 4", "eager 4", "compile 4", "eager 4", "compile 4"),
        Files.readAllLines(folder.resolve("turns")));
    JsonNode result = new ObjectMapper().readTree(json.toFile());
    for (JsonNode peer : result.get("peers")) {
      assertEquals(1000, peer.get("step_ms").asDouble());
      assertEquals(TOKENS_OF_GPT_CHAR, peer.get("tokens_per_second").asDouble(), 1e-6);
      double quickest = 1000 / result.get("step_ms_min").asDouble();
      double slowest = 1000 / result.get("step_ms_max").asDouble();
      assertTrue(peer.get("ratio_min").asDouble() >= slowest - 1e-9, peer::toString);
      assertTrue(peer.get("ratio_max").asDouble() <= quickest + 1e-9, peer::toString);
      assertTrue(peer.get("ratio").asDouble() >= peer.get("ratio_min").asDouble());
    }
    assertEquals(2, result.get("peers").size());
  }

  private static Path script(Path file, String text) throws IOException {
    Files.writeString(file, text);
    assertTrue(file.toFile().setExecutable(true));
    return file;
  }

  private static long count(JsonNode events, String key, String value) {
    return events.findValuesAsText(key).stream().filter(value::equals).count();
  }

  private int run(String... options) {
    return runOf("gpt-char", List.of(options));
  }

  private int runOf(String configuration, List<String> options) {
    PrintWriter writer = new PrintWriter(out, true);
    CommandLine command = Sparkformer.commandLine().addSubcommand(new Bench());
    return command
        .setOut(writer)
        .setErr(writer)
        .execute(
            Stream.concat(Stream.of("bench", "step", configuration), options.stream())
                .toArray(String[]::new));
  }
}
