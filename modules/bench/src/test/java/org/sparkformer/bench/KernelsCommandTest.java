package org.sparkformer.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.app.Sparkformer;
import picocli.CommandLine;

class KernelsCommandTest {
  /** What scripts read by name. */
  private static final List<String> NAMES =
      List.of(
          "op",
          "shape",
          "direction",
          "dtype",
          "milliseconds",
          "gflops",
          "gbps",
          "share_of_peak",
          "peer",
          "peer_gflops",
          "ratio");

  private final StringWriter out = new StringWriter();

  @Test
  void writesARowForEachOperationBesideThePeers(@TempDir Path folder) throws Exception {
    Path json = folder.resolve("rows.json");
    assertEquals(0, run("--model=char-4x128", "--only=projection", "--json=" + json));
    JsonNode rows = new ObjectMapper().readTree(json.toFile());
    assertEquals(3, rows.size(), "the product and its two gradients");
    for (JsonNode row : rows) {
      List<String> names = new ArrayList<>();
      row.fieldNames().forEachRemaining(names::add);
      assertEquals(NAMES, names);
      assertEquals("fp32", row.get("dtype").asText());
      double flops = 2.0 * 192 * 128 * 128;
      double milliseconds = row.get("milliseconds").asDouble();
      assertEquals(flops / milliseconds / 1e6, row.get("gflops").asDouble(), 1e-6);
      assertTrue(row.get("share_of_peak").asDouble() > 0, row::toString);
      assertTrue(row.get("peer").asText().contains("OpenBLAS"), row::toString);
      assertTrue(row.get("peer_gflops").asDouble() > 0, row::toString);
    }
  }

  @Test
  void refusesAModelThatThereIsNotInOneLine() {
    assertEquals(2, run("--model=gpt-5"));
    assertTrue(out.toString().contains("no shape's name contains 'gpt-5'"), out::toString);
    assertEquals(1, out.toString().lines().count(), out::toString);
  }

  private int run(String... options) {
    PrintWriter writer = new PrintWriter(out, true);
    CommandLine command = Sparkformer.commandLine().addSubcommand(new Bench());
    List<String> arguments = new ArrayList<>(List.of("bench", "kernels"));
    arguments.addAll(List.of(options));
    return command.setOut(writer).setErr(writer).execute(arguments.toArray(String[]::new));
  }
}
