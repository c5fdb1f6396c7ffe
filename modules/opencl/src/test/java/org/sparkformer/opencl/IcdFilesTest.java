package org.sparkformer.opencl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkformer.testkit.LoggedProcess;

class IcdFilesTest {
  private static final Path INSTALLED = Path.of("/etc/OpenCL/vendors");

  @TempDir private Path folder;

  /** Lists devices after completing a folder with a library, in a process of its own. */
  static final class Lister {
    private Lister() {}

    public static void main(String[] arguments) {
      IcdFiles.complete(Path.of(arguments[0]), arguments[1]);
      System.out.println(Devices.list().size() + " devices");
    }
  }

  private String devices(String library) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(
            LoggedProcess.java(List.of(), Lister.class, List.of(folder.toString(), library)));
    builder.environment().put("OCL_ICD_VENDORS", folder.toString());
    Process process = builder.redirectErrorStream(true).start();
    return new String(process.getInputStream().readAllBytes());
  }

  @Test
  void aDriverThatNoFileNamesIsFound() throws IOException {
    assumeTrue(Files.isDirectory(INSTALLED), "drivers are known in another way here");
    String library = installed();
    assertTrue(devices("libabsent.so.1").contains("no driver is installed"));
    assertTrue(devices(library).matches("(?s).*[1-9]\\d* devices\\s*"), () -> library);
  }

  private static String installed() throws IOException {
    try (Stream<Path> files = Files.list(INSTALLED)) {
      Path first = files.filter(file -> file.toString().endsWith(".icd")).findFirst().orElseThrow();
      return Files.readString(first).trim();
    }
  }

  @Test
  void theOtherDriversStay() throws IOException {
    Files.writeString(folder.resolve("pocl.icd"), "/usr/lib/libpocl.so.2\n");
    Files.writeString(folder.resolve("README"), "libnvidia-opencl.so.1");
    Path completed = IcdFiles.withFile(folder, "libnvidia-opencl.so.1");
    try (Stream<Path> files = Files.list(completed)) {
      assertEquals(
          List.of("libnvidia-opencl.so.1.icd", "pocl.icd"),
          files.map(file -> file.getFileName().toString()).sorted().toList());
    }
    assertTrue(IcdFiles.isNamed(completed, "libnvidia-opencl.so.1"));
    assertTrue(IcdFiles.isNamed(completed, "libpocl.so.2"));
    assertFalse(IcdFiles.isNamed(folder, "libnvidia-opencl.so.1"));
  }

  @Test
  void aFolderThatIsNotThereNamesNothing() {
    assertFalse(IcdFiles.isNamed(folder.resolve("none"), "libnvidia-opencl.so.1"));
  }
}
