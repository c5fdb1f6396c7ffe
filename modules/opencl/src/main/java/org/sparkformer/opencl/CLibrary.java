package org.sparkformer.opencl;

import org.lwjgl.system.APIUtil;
import org.lwjgl.system.MemoryUtil;
import org.lwjgl.system.Platform;
import org.lwjgl.system.SharedLibrary;

/** The GNU C library of the process, on Linux. */
final class CLibrary {
  private CLibrary() {}

  /** The address of a function, or 0 elsewhere and where it has none of the name. */
  static long function(String name) {
    if (Platform.get() != Platform.LINUX) {
      return MemoryUtil.NULL;
    }
    try (SharedLibrary c = APIUtil.apiCreateLibrary("libc.so.6")) {
      return c.getFunctionAddress(name);
    } catch (UnsatisfiedLinkError notGlibc) {
      return MemoryUtil.NULL;
    }
  }
}
