package org.sparkformer.app;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.sparkformer.testkit.LoggedProcess;
import picocli.CommandLine;

/** A folder with a text and a configuration, and a terminal: what a user of the commands has. */
final class ToyProject {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path folder;
  private final Path text;
  private final Path configuration;
  private final StringWriter out = new StringWriter();
  private final StringWriter error = new StringWriter();

  /**
   * @param yaml the configuration, but for the text
   */
  ToyProject(Path folder, String yaml) throws IOException {
    this.folder = folder;
    this.text =
        Files.writeString(
            folder.resolve("text.txt"), "to be or not to be, that is it.\n".repeat(60));
    this.configuration = Files.writeString(folder.resolve("toy.yaml"), yaml);
  }

  /** For {@code --set}: the text as what to train on. */
  String inputOption() {
    return "data.input=" + text;
  }

  Path text() {
    return text;
  }

  Path run(String name) {
    return folder.resolve(name);
  }

  /** The arguments that train a run on the configuration, with whatever data the options give. */
  String[] training(String run, String... options) {
    List<String> arguments = new ArrayList<>(List.of("train", configuration.toString()));
    arguments.addAll(List.of("--out", run(run).toString()));
    arguments.addAll(List.of(options));
    return arguments.toArray(String[]::new);
  }

  /**
   * Trains on the text in a process of its own, on the definitions in Java.
   *
   * @param before what the process is started through, such as {@code nice}
   */
  LoggedProcess start(String log, List<String> before, String run, String... options)
      throws IOException {
    List<String> all = new ArrayList<>(List.of("--set", inputOption(), "--device", "java"));
    all.addAll(List.of(options));
    List<String> command = new ArrayList<>(before);
    command.addAll(
        LoggedProcess.java(
            List.of("-Xmx512m", "-XX:TieredStopAtLevel=1"),
            Sparkformer.class,
            List.of(training(run, all.toArray(String[]::new)))));
    return LoggedProcess.start(
        folder.resolve(log),
        Map.of("SPARK_HOME", folder.resolve("spark-home").toString()),
        command);
  }

  /** Trains on the text. */
  JsonNode train(String run, String... options) throws IOException {
    List<String> all = new ArrayList<>(List.of("--set", inputOption()));
    all.addAll(List.of(options));
    succeed(training(run, all.toArray(String[]::new)));
    return summary(run);
  }

  JsonNode summary(String run) throws IOException {
    return JSON.readTree(run(run).resolve("run.json").toFile());
  }

  void succeed(String... arguments) {
    assertEquals(0, execute(arguments), error::toString);
  }

  /** What a command prints that has to succeed. */
  String output(String... arguments) {
    out.getBuffer().setLength(0);
    succeed(arguments);
    return out();
  }

  JsonNode json(String... arguments) throws IOException {
    return JSON.readTree(output(arguments));
  }

  /** Exit status of a command. */
  int execute(String... arguments) {
    CommandLine command = Sparkformer.commandLine();
    command.setOut(new PrintWriter(out)).setErr(new PrintWriter(error));
    return command.execute(arguments);
  }

  /** Forgets what was printed so far. */
  void clear() {
    out.getBuffer().setLength(0);
    error.getBuffer().setLength(0);
  }

  String out() {
    return out.toString();
  }

  String error() {
    return error.toString();
  }
}
