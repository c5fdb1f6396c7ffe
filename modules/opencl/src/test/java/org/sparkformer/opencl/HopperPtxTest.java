package org.sparkformer.opencl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** On what clang makes of {@code product.cl}; the resource says how. */
class HopperPtxTest {
  private static String compiled;

  @BeforeAll
  static void read() throws IOException {
    try (InputStream stream = HopperPtxTest.class.getResourceAsStream("product.ptx")) {
      compiled = new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private static List<String> linesWith(String text, String part) {
    return text.lines().filter(line -> line.contains(part)).map(String::strip).toList();
  }

  @Test
  void markedLinesBecomeInstructionsAndTheTargetTheirs() {
    String made = HopperPtx.of(compiled);
    assertEquals(List.of(".target sm_90a, texmode_independent"), linesWith(made, ".target"));
    assertEquals(List.of(), linesWith(made, HopperPtx.MARK.strip()));
    List<String> instructions =
        made.lines().map(String::strip).filter(line -> line.startsWith("wgmma.")).toList();
    assertEquals(
        linesWith(compiled, HopperPtx.MARK + "wgmma.").stream()
            .map(line -> line.substring(HopperPtx.MARK.length()))
            .toList(),
        instructions);
    String product = "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {%f";
    assertEquals(4, instructions.stream().filter(line -> line.startsWith(product)).count());
    assertEquals(1, linesWith(made, "fence.proxy.async.shared::cta;").size());
  }

  @Test
  void nothingElseChanges() {
    String made = HopperPtx.of(compiled + "\0");
    String back =
        made.replaceAll("(?m)^(\\s*)(?=wgmma\\.|fence\\.proxy)", "$1" + HopperPtx.MARK)
            .replace(".target sm_90a", ".target sm_90");
    assertEquals(compiled + "\0", back);
  }

  @Test
  void whatIsNotSuchPtxIsRefusedAndTheMessageSaysWhatItIs() {
    refused("\177ELF\2", "neither .version nor .target");
    refused(compiled.replace(".target sm_90", ".target sm_100"), ".target sm_100");
    refused(HopperPtx.of(compiled), ".target sm_90a");
    refused(compiled.replaceFirst("\\.version \\d\\.\\d", ".version 7.8"), "7.8");
    refused(compiled.replace(HopperPtx.MARK, "// "), "lost the comments");
  }

  private static void refused(String text, String reason) {
    String message = assertThrows(OpenClException.class, () -> HopperPtx.of(text)).getMessage();
    assertTrue(message.contains(reason), message);
    assertFalse(message.contains("\n"), message);
  }
}
