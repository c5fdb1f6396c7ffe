package org.sparkformer.opencl;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Needs Linux and an OpenCL driver with threads of its own, such as PoCL. */
class NativeStacksTest {
  private static final long LARGE = 60L << 20;

  @Test
  void aDriversThreadsGetLargeStacks() throws IOException {
    OpenClBackend.open(DeviceSelector.AUTO).close();
    List<String> mappings = Files.readAllLines(Path.of("/proc/self/maps"));
    assertTrue(
        mappings.stream().anyMatch(NativeStacksTest::isStack),
        () -> "no mapping of 64 MiB:\n" + String.join("\n", mappings));
  }

  /** A stack below its guard page: readable and writable memory of no file. */
  private static boolean isStack(String mapping) {
    String[] fields = mapping.split("\\s+");
    String[] range = fields[0].split("-");
    long bytes = Long.parseUnsignedLong(range[1], 16) - Long.parseUnsignedLong(range[0], 16);
    return fields.length == 5 && fields[1].startsWith("rw") && bytes >= LARGE && bytes <= 70L << 20;
  }
}
