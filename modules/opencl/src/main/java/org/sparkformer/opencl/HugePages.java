package org.sparkformer.opencl;

import org.lwjgl.system.APIUtil;
import org.lwjgl.system.JNI;
import org.lwjgl.system.MemoryUtil;
import org.lwjgl.system.Platform;
import org.lwjgl.system.SharedLibrary;

/**
 * Host memory for large buffers of devices that compute in it, which the system is asked to back
 * with pages of 2 MiB. A matrix by pages of 4 KiB is more of them than a processor keeps the places
 * of, and every row that a product goes to costs a walk through the page tables, two in a virtual
 * machine. Without transparent huge pages it is memory like any other.
 */
final class HugePages {
  /** Bytes of a page, and of the smallest buffer that has one. */
  static final long PAGE = 2 << 20;

  /** MADV_HUGEPAGE of Linux. */
  private static final int ADVICE = 14;

  private static final long ADVISE = adviseFunction();

  private HugePages() {}

  /** Whether a buffer of so many bytes gains by them. */
  static boolean suit(DeviceInfo device, long bytes) {
    return ADVISE != 0 && device.kind() == DeviceInfo.Kind.CPU && bytes >= PAGE;
  }

  /**
   * Memory at a whole page, to be given back by {@link #free}.
   *
   * @return its address, or 0 where there is none
   */
  static long take(long bytes) {
    long memory = MemoryUtil.nmemAlignedAlloc(PAGE, bytes);
    if (memory != 0) {
      JNI.callPPI(memory, bytes, ADVICE, ADVISE);
    }
    return memory;
  }

  static void free(long memory) {
    MemoryUtil.nmemAlignedFree(memory);
  }

  /** The address of madvise(void*, size_t, int): int, or 0. */
  private static long adviseFunction() {
    if (Platform.get() != Platform.LINUX) {
      return 0;
    }
    try (SharedLibrary c = APIUtil.apiCreateLibrary("libc.so.6")) {
      return c.getFunctionAddress("madvise");
    } catch (UnsatisfiedLinkError notGlibc) {
      return 0;
    }
  }
}
