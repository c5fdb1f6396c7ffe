package org.sparkformer.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.testkit.LoggedProcess;

/**
 * Commands in processes with little memory, which are given files that nobody has written so: each
 * says what is wrong with which, in one line, and that it was the input's fault.
 */
class HostileFilesTest {
  private static final Duration LONG = Duration.ofMinutes(2);
  private static final String DATASET = "dataset";
  private static final String CHECKPOINT = "run/checkpoints/step-00000006";

  private static ToyProject project;
  @TempDir static Path folder;

  private final Mutations mutations = new Mutations(new Random(23));
  private final List<Case> cases = new ArrayList<>();

  /**
   * @param command which reads it
   * @param file that was changed, of which the command must speak
   */
  private record Case(List<String> command, String file) {
    String line() {
      return String.join("\t", command);
    }
  }

  private interface Command {
    /**
     * @param copy of what was copied, with one file changed
     */
    String[] on(Path copy);
  }

  @BeforeAll
  static void train() throws Exception {
    project =
        new ToyProject(
            folder,
            """
            model: {layers: 1, heads: 2, width: 16, context: 8}
            data: {tokenizer: char}
            training: {steps: 6, batch_size: 4, micro_batch_size: 2, eval_interval: 0,
              checkpoint_interval: 0, log_interval: 1, warmup_steps: 2}
            """);
    project.train("run", "--device", "java");
    Files.move(folder.resolve("run/dataset"), folder.resolve(DATASET));
    // Without its manifest a checkpoint is a model like any other, which nothing vouches for.
    copy(folder.resolve(CHECKPOINT), folder.resolve("model"));
    Files.delete(folder.resolve("model/manifest.json"));
    Files.delete(folder.resolve("model/configuration.json"));
  }

  /** Less than the smallest of the lengths that files claim. */
  @Test
  void commandsThatReadModelsRefuseThem() throws Exception {
    Command generate =
        copy ->
            new String[] {
              "generate", copy.toString(), "--prompt", "to", "--tokens", "1", "--device", "java"
            };
    add(
        "model",
        "model.safetensors",
        mutations.ofSafetensors(bytes("model/model.safetensors")),
        generate);
    add("model", "tokenizer.json", mutations.ofJson(bytes("model/tokenizer.json")), generate);
    byte[] configuration = bytes("model/config.json");
    add("model", "config.json", mutations.ofJson(configuration), generate);
    add(
        "model",
        "config.json",
        mutations.ofNumbers(configuration, "n_layer", "n_embd", "n_positions", "vocab_size"),
        generate);
    assertRefused("-Xmx64m");
  }

  @Test
  void commandsThatReadDatasetsAndRunsRefuseThem() throws Exception {
    Command evaluate =
        copy ->
            new String[] {
              "evaluate",
              folder.resolve("model").toString(),
              "--dataset",
              copy.toString(),
              "--device",
              "java"
            };
    byte[] manifest = bytes(DATASET + "/manifest.json");
    add(DATASET, "manifest.json", mutations.ofJson(manifest), evaluate);
    add(DATASET, "manifest.json", mutations.ofJson(unsealed(manifest)), evaluate);
    for (String file : List.of("validation-00000.bin", "train-00000.idx", "tokenizer.json")) {
      add(DATASET, file, mutations.ofAny(bytes(DATASET + "/" + file)), evaluate);
    }
    Command own = copy -> new String[] {"evaluate", copy.toString(), "--device", "java"};
    add(
        "run",
        "checkpoints/step-00000006/manifest.json",
        mutations.ofJson(bytes(CHECKPOINT + "/manifest.json")),
        own);
    assertRefused("-Xmx64m");
  }

  /** Spark itself wants more. */
  @Test
  void commandsThatTrainRefuseThem() throws Exception {
    Command again =
        copy ->
            project.training(
                copy.getFileName().toString(),
                "--device",
                "java",
                "--set",
                "data.dataset=" + folder.resolve(DATASET));
    Files.deleteIfExists(folder.resolve("run/run.json"));
    add(
        "run",
        "checkpoints/step-00000006/manifest.json",
        mutations.ofJson(bytes(CHECKPOINT + "/manifest.json")),
        again);
    Command build =
        copy ->
            new String[] {
              "dataset",
              "build",
              project.text().toString(),
              "--tokenizer",
              copy.resolve("tokenizer.json").toString(),
              "--out",
              copy.resolve("built").toString()
            };
    add("model", "tokenizer.json", mutations.ofJson(bytes("model/tokenizer.json")), build);
    assertRefused("-Xmx512m");
  }

  /** A case for each mutation of a file. */
  private void add(String of, String file, Map<String, byte[]> mutated, Command command)
      throws IOException {
    for (Map.Entry<String, byte[]> mutation : mutated.entrySet()) {
      Path copy = Files.createTempDirectory(folder, mutation.getKey() + "-");
      copy(folder.resolve(of), copy);
      Files.write(copy.resolve(file), mutation.getValue());
      Path hadoops = copy.resolve(file).resolveSibling("." + Path.of(file).getFileName() + ".crc");
      Files.deleteIfExists(hadoops);
      cases.add(new Case(List.of(command.on(copy)), copy.resolve(file).toString()));
    }
  }

  private void assertRefused(String memory) throws Exception {
    Path commands = folder.resolve("commands.txt");
    Files.write(commands, cases.stream().map(Case::line).toList());
    try (LoggedProcess process =
        LoggedProcess.start(
            folder.resolve("commands.log"),
            Map.of(),
            LoggedProcess.java(
                List.of(memory, "-XX:TieredStopAtLevel=1"),
                Child.class,
                List.of(commands.toString())))) {
      int status = process.exitCode(LONG);
      assertEquals(0, status, process.log());
      String[] said = process.log().split("command \\d+\n");
      assertEquals(cases.size() + 1, said.length, process.log());
      for (int number = 0; number < cases.size(); number++) {
        assertRefused(cases.get(number), said[number + 1]);
      }
    }
  }

  private static void assertRefused(Case hostile, String said) {
    String where = hostile.line() + "\n" + said;
    assertTrue(said.endsWith("exit 2\n"), where);
    List<String> errors = said.lines().filter(line -> line.startsWith("sparkformer: ")).toList();
    assertEquals(1, errors.size(), where);
    assertFalse(said.contains("\tat ") || said.contains("--debug"), where);
    assertTrue(said.contains(hostile.file()), where);
  }

  private static byte[] bytes(String file) throws IOException {
    return Files.readAllBytes(folder.resolve(file));
  }

  /** A manifest as earlier versions wrote it, which no checksum vouches for. */
  private static byte[] unsealed(byte[] manifest) {
    return new String(manifest, StandardCharsets.UTF_8)
        .replaceFirst(",\\s*\"manifest_crc32c\"[^}]*", "\n")
        .getBytes(StandardCharsets.UTF_8);
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> all = Files.walk(from)) {
      for (Path path : all.toList()) {
        Path target = to.resolve(from.relativize(path).toString());
        if (Files.isDirectory(path)) {
          Files.createDirectories(target);
        } else {
          Files.copy(path, target);
        }
      }
    }
  }

  /** Gives the commands of a file one after the other. */
  static final class Child {
    private Child() {}

    public static void main(String[] arguments) throws IOException {
      int number = 0;
      for (String line : Files.readAllLines(Path.of(arguments[0]))) {
        System.out.println("command " + number++);
        System.out.println("exit " + Sparkformer.execute(line.split("\t")));
      }
    }
  }
}
