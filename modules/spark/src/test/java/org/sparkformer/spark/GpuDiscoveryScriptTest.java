package org.sparkformer.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.resource.ResourceInformation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.training.configuration.DataConfiguration;

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

  /** No machine has a GPU at such an address: what the rank says that it lacks is what it got. */
  @Test
  void aWorkerOfSparkRunsItAndARankGetsTheGpuThatItNamed() throws Exception {
    Path tools = tools("echo 00000000:FB:1F.7");
    Path script =
        executable(folder.resolve("discover"), "PATH=%s:$PATH exec %s".formatted(tools, SCRIPT));
    Map<String, String> settings =
        Map.of(
            "spark.worker.resource.gpu.amount", "1",
            "spark.worker.resource.gpu.discoveryScript", script.toString(),
            "spark.executor.resource.gpu.amount", "1",
            "spark.task.resource.gpu.amount", "1");
    settings.forEach(System::setProperty);
    try (JavaSparkContext context =
        SparkSessions.openContext("gpus", Optional.of("local-cluster[1,1,1024]"))) {
      TrainingRequest request =
          TinyRun.request(
                  DataConfiguration.ofInput(TinyRun.text(folder), "char"), folder.resolve("run"))
              .withDevice("auto");
      String said =
          assertThrows(
                  IllegalArgumentException.class,
                  () -> new TrainingDriver(context).train(request, new TinyRun.Log()))
              .getMessage();
      assertTrue(said.contains("'pci:0000:fb:1f.7'"), said);
    } finally {
      settings.keySet().forEach(System::clearProperty);
    }
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
    Path tools = tools(smi);
    ProcessBuilder builder = new ProcessBuilder(find("bash").toString(), SCRIPT.toString());
    builder.environment().put("PATH", tools.toString());
    Process process = builder.start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    String error = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Answer(process.waitFor(), out.strip(), error.strip());
  }

  /** A folder with an nvidia-smi that does as told, if anything. */
  private Path tools(String smi) throws IOException {
    Path tools = Files.createTempDirectory(folder, "path");
    if (smi != null) {
      executable(tools.resolve("nvidia-smi"), smi);
    }
    return tools;
  }

  private static Path executable(Path file, String script) throws IOException {
    Files.writeString(file, "#!/bin/sh\n" + script);
    return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
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
