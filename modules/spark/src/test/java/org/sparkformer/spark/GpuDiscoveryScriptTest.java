package org.sparkformer.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.apache.spark.resource.ResourceInformation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code deploy/gpus.sh} as Spark runs it, with an nvidia-smi of the test's own. */
class GpuDiscoveryScriptTest {
  private static final Path SCRIPT = Path.of("../../deploy/gpus.sh").toAbsolutePath();

  @TempDir Path folder;

  private record Answer(int status, String out, String error) {}

  @Test
  void sparkReadsTheAddressesAndTheyAreThoseOfOpenCl() throws Exception {
    Answer answer = run("echo 00000000:3B:00.0; echo 00000000:AF:00.0");
    assertEquals(0, answer.status(), answer.error());
    ResourceInformation gpus = ResourceInformation.parseJson(answer.out());
    assertEquals("gpu", gpus.name());
    assertArrayEquals(new String[] {"00000000:3B:00.0", "00000000:AF:00.0"}, gpus.addresses());
    assertEquals("0000:3b:00.0", GpuAddress.normalize(gpus.addresses()[0]));
    assertEquals("pci:0000:3b:00.0", GpuAddress.selector(gpus.addresses()[0]).text());
  }

  @Test
  void whereThereIsNoneTheErrorSaysSo() throws Exception {
    for (String[] smi :
        new String[][] {
          {null, "there is no nvidia-smi on "},
          {"echo 'could not communicate with the driver'; exit 9", "could not communicate"},
          {"true", "nvidia-smi finds no GPU on "},
          {"echo 'No devices were found'", "says what is no PCI bus address: No devices"}
        }) {
      Answer answer = run(smi[0]);
      assertEquals(1, answer.status());
      assertEquals("", answer.out());
      assertTrue(answer.error().startsWith("gpus.sh: "), answer.error());
      assertTrue(answer.error().contains(smi[1]), answer.error());
    }
  }

  /**
   * @param smi what nvidia-smi does; null for none
   */
  private Answer run(String smi) throws IOException, InterruptedException {
    Path tools = Files.createTempDirectory(folder, "path");
    if (smi != null) {
      Path file = Files.writeString(tools.resolve("nvidia-smi"), "#!/bin/sh\n" + smi);
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
    ProcessBuilder builder = new ProcessBuilder(find("bash").toString(), SCRIPT.toString());
    builder.environment().put("PATH", tools.toString());
    Process process = builder.start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    String error = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Answer(process.waitFor(), out.strip(), error.strip());
  }

  private static Path find(String tool) {
    for (String place : System.getenv("PATH").split(":")) {
      if (Files.isExecutable(Path.of(place, tool))) {
        return Path.of(place, tool);
      }
    }
    throw new IllegalStateException("no " + tool + " on the PATH");
  }
}
