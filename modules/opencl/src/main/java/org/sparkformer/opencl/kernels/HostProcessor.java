package org.sparkformer.opencl.kernels;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.lwjgl.system.APIUtil;
import org.lwjgl.system.JNI;
import org.lwjgl.system.SharedLibrary;

/** What the processor of this machine can do that OpenCL does not tell. */
final class HostProcessor {
  private static final System.Logger LOG = System.getLogger(HostProcessor.class.getName());
  private static final Path LINUX = Path.of("/proc/cpuinfo");
  private static final boolean PAIRS = has("avx512_bf16");

  private HostProcessor() {}

  /** Whether it has AVX512_BF16; false where the system does not say. */
  static boolean multipliesBfloat16() {
    return PAIRS;
  }

  /** Whether it has AMX's tiles of bf16, and Linux lets this process use them; asks it once. */
  static boolean multipliesTiles() {
    return Tiles.ALLOWED;
  }

  /** Tile registers are the process's only after it has asked for them (Linux, x86/xstate). */
  private static final class Tiles {
    static final boolean ALLOWED = has("amx_tile") && has("amx_bf16") && ask();

    private static final int ARCH_PRCTL = 158;
    private static final int REQUEST_PERMISSION = 0x1023;
    private static final int TILE_DATA = 18;

    private static boolean ask() {
      try (SharedLibrary c = APIUtil.apiCreateLibrary("libc.so.6")) {
        long syscall = c.getFunctionAddress("syscall");
        if (JNI.callPPPP(ARCH_PRCTL, REQUEST_PERMISSION, TILE_DATA, syscall) == 0) {
          return true;
        }
      } catch (UnsatisfiedLinkError notGlibc) {
        LOG.log(System.Logger.Level.DEBUG, "no libc.so.6 to ask for AMX");
      }
      LOG.log(
          System.Logger.Level.WARNING,
          "this processor has AMX, but the system does not let this process use it: products and"
              + " attention take vectors instead, which are slower");
      return false;
    }
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
