package org.sparkformer.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

class SparkformerTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter error = new StringWriter();

  static List<String> commands() {
    return List.copyOf(Sparkformer.commandLine().getSubcommands().keySet());
  }

  @ParameterizedTest
  @MethodSource("commands")
  void everyCommandExplainsItself(String command) {
    assertEquals(0, run(command, "--help"));
    assertTrue(out.toString().contains("Usage: sparkformer " + command), out.toString());
    assertEquals("", error.toString());
  }

  @Test
  void noCommandIsBadUsage() {
    assertEquals(2, run());
    assertEquals("sparkformer: which command?\nTry 'sparkformer --help'.\n", error.toString());
  }

  @Test
  void aMistypedCommandGetsASuggestion() {
    assertEquals(2, run("repotr"));
    assertTrue(error.toString().contains("sparkformer: "), error.toString());
    assertTrue(error.toString().contains("Did you mean: "), error.toString());
  }

  @Test
  void badInputIsOneLineAndExitCodeTwo(@TempDir Path folder) {
    assertEquals(2, run("report", folder.toString()));
    assertEquals(
        "sparkformer: no metrics.jsonl in "
            + folder
            + ": give the output folder of a training run\n",
        error.toString());
  }

  @Test
  void anOutputFolderThatCannotBeIsBadInput(@TempDir Path folder) throws IOException {
    Path file = Files.createFile(folder.resolve("file"));
    for (Path run : List.of(file, file.resolve("a/run"))) {
      assertRefused(
          "%s cannot be the folder of a run: %s is a file".formatted(run, file),
          "--out",
          run.toString());
    }
    assertRefused("No FileSystem for scheme \"moon\"", "--out", "moon://base/run");
  }

  @Test
  void aMasterThatDoesNotAnswerIsBadInput(@TempDir Path folder) throws IOException {
    int unused;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      unused = socket.getLocalPort();
    }
    String address = "127.0.0.1:" + unused;
    assertRefused(
        "no Spark master answers at %s (java.net.ConnectException: Connection refused): check --master, and that one runs there"
            .formatted(address),
        "--out",
        folder.resolve("run").toString(),
        "--master",
        "spark://" + address);
  }

  private void assertRefused(String complaint, String... options) {
    error.getBuffer().setLength(0);
    List<String> arguments =
        new ArrayList<>(List.of("train", "gpt-char", "--set", "data.input=unread.txt"));
    arguments.addAll(List.of(options));
    assertEquals(2, run(arguments.toArray(String[]::new)), error::toString);
    assertEquals("sparkformer: " + complaint + "\n", error.toString());
  }

  @Test
  void aDryRunInventsNoVocabularySize() {
    assertEquals(0, run("train", "gpt-char", "--dry-run"));
    assertTrue(out.toString().contains("\n  # vocab_size: as many as the tokenizer has\n"));
    assertTrue(!out.toString().contains("\n  vocab_size:"), out.toString());
    out.getBuffer().setLength(0);
    assertEquals(0, run("train", "gpt2", "--dry-run"));
    assertTrue(out.toString().contains("\n  vocab_size: 50257\n"), out.toString());
  }

  @Test
  void debugShowsTheStackTrace(@TempDir Path folder) {
    assertEquals(2, run("report", "--debug", folder.toString()));
    assertTrue(error.toString().contains("\tat org.sparkformer.app."), error.toString());
  }

  private int run(String... arguments) {
    CommandLine command = Sparkformer.commandLine();
    command.setOut(new PrintWriter(out)).setErr(new PrintWriter(error));
    return command.execute(arguments);
  }
}
