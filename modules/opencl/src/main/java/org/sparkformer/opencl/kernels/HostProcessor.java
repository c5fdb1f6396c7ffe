package org.sparkformer.opencl.kernels;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** What the processor of this machine can do that OpenCL does not tell. */
final class HostProcessor {
  private static final Path LINUX = Path.of("/proc/cpuinfo");

  private HostProcessor() {}

  /** Whether it has AVX512_BF16; false where the system does not say. */
  static boolean multipliesBfloat16() {
    return has("avx512_bf16");
  }

  private static boolean has(String flag) {
    try (var lines = Files.lines(LINUX)) {
      return lines
          .filter(line -> line.startsWith("flags"))
          .anyMatch(line -> Arrays.asList(line.split("\\s+")).contains(flag));
    } catch (IOException unknown) {
      return false;
    }
  }
}
