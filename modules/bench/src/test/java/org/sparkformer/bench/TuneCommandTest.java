package org.sparkformer.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.app.Sparkformer;
import org.sparkformer.opencl.DeviceSelector;
import org.sparkformer.opencl.Devices;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.opencl.OpenClDevice;
import org.sparkformer.opencl.OpenClOptions;
import org.sparkformer.opencl.TunedValues;
import picocli.CommandLine;

class TuneCommandTest {
  private final OpenClDevice device = Devices.select(new DeviceSelector("cpu"));
  private final StringWriter out = new StringWriter();

  @Test
  void theNextBackendTakesWhatWasFound(@TempDir Path folder) {
    Path file = folder.resolve("made").resolve("tuned.json");
    assertEquals(0, run("--only=attention", "--gain=-100000", "--out=" + file), out::toString);
    TunedValues.Kernel kernel = TunedValues.read(file).of(device.info()).get("attention.cl");
    assertEquals(Map.of("NV", 3), kernel.macros(), "any time will do, so the last value stays");
    assertTrue(kernel.sameBits());
    OpenClOptions options = OpenClOptions.defaults().withTuned(file);
    try (OpenClBackend backend = OpenClBackend.open(device, options);
        OpenClBackend untuned = OpenClBackend.open(device, OpenClOptions.defaults())) {
      assertTrue(
          backend.description().contains("tuned by " + file + ": attention.cl"),
          backend.description());
      assertEquals(untuned.rounding(), backend.rounding());
    }
  }

  @Test
  void whatIsNotFasterAnyMoreGoesFromTheFile(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("tuned.json");
    TunedValues.Kernel old = new TunedValues.Kernel("", Map.of("NV", 1), true, 2);
    new TunedValues(List.of())
        .with(device.info(), "attention.cl", old)
        .with(device.info(), "matmul.cl", old)
        .write(file);
    assertEquals(0, run("--only=attention", "--gain=100", "--out=" + file), out::toString);
    assertEquals(Map.of("matmul.cl", old), TunedValues.read(file).of(device.info()), out::toString);
    assertTrue(out.toString().contains("keeps its built-in values"), out::toString);
  }

  @Test
  void aFileThatThereIsNotIsNamedBesideThoseThereAre(@TempDir Path folder) {
    Path file = folder.resolve("tuned.json");
    assertEquals(2, run("--only=convolution", "--out=" + file));
    assertTrue(out.toString().contains("matmul.cl"), out::toString);
    assertFalse(file.toFile().exists());
  }

  /** Rows of 65 logits have a kernel without settings. */
  @Test
  void aFileThatNothingRunsByIsAnErrorNotAnEmptySearch(@TempDir Path folder) {
    Path file = folder.resolve("tuned.json");
    assertEquals(2, run("--only=softmax", "--out=" + file), out::toString);
    assertTrue(out.toString().contains("softmax_cross_entropy_narrow.cl"), out::toString);
    assertFalse(file.toFile().exists());
  }

  private int run(String... options) {
    PrintWriter writer = new PrintWriter(out, true);
    CommandLine command = Sparkformer.commandLine().addSubcommand(new TuneCommand());
    return command
        .setOut(writer)
        .setErr(writer)
        .execute(
            Stream.concat(
                    Stream.of("tune", "--device=cpu", "--model=char-4x128"), Stream.of(options))
                .toArray(String[]::new));
  }
}
