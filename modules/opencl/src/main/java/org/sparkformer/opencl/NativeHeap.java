package org.sparkformer.opencl;

import org.lwjgl.system.JNI;

/**
 * The C library's heap, where a driver's compiler works. PoCL's leaves some 200 MiB that it has
 * freed in pieces between what it keeps, and the GNU C library holds on to them.
 */
final class NativeHeap {
  /** malloc_trim(size_t): int. */
  private static final long TRIM = CLibrary.function("malloc_trim");

  private NativeHeap() {}

  /** Gives pages that are free back to the system; elsewhere than with glibc does nothing. */
  static void trim() {
    if (TRIM != 0) {
      JNI.callPI(0, TRIM);
    }
  }
}
