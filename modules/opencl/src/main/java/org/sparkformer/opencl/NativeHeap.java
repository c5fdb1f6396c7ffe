package org.sparkformer.opencl;

import org.lwjgl.system.APIUtil;
import org.lwjgl.system.JNI;
import org.lwjgl.system.Platform;
import org.lwjgl.system.SharedLibrary;

/**
 * The C library's heap, where a driver's compiler works. PoCL's leaves some 200 MiB that it has
 * freed in pieces between what it keeps, and the GNU C library holds on to them.
 */
final class NativeHeap {
  private static final long TRIM = trimFunction();

  private NativeHeap() {}

  /** Gives pages that are free back to the system; elsewhere than with glibc does nothing. */
  static void trim() {
    if (TRIM != 0) {
      JNI.callPI(0, TRIM);
    }
  }

  /** The address of malloc_trim(size_t): int, or 0. */
  private static long trimFunction() {
    if (Platform.get() != Platform.LINUX) {
      return 0;
    }
    try (SharedLibrary c = APIUtil.apiCreateLibrary("libc.so.6")) {
      return c.getFunctionAddress("malloc_trim");
    } catch (UnsatisfiedLinkError notGlibc) {
      return 0;
    }
  }
}
