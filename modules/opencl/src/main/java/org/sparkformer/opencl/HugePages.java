package org.sparkformer.opencl;

import org.lwjgl.system.JNI;
import org.lwjgl.system.MemoryUtil;
import org.lwjgl.system.linux.MMAN;

/**
 * Host memory for a large buffer of a device that computes in it, which the system is asked to back
 * with pages of 2 MiB. A matrix by pages of 4 KiB is more of them than a processor keeps the places
 * of, and every row that a product goes to costs a walk through the page tables, two in a virtual
 * machine. Without transparent huge pages it is memory like any other.
 *
 * <p>It is mapped anew, not taken from the C library's heap, whose pages may be small already.
 *
 * @param address where it begins, at a whole page
 * @param bytes of it, in whole pages of any system
 */
record HugePages(long address, long bytes) implements AutoCloseable {
  /** Bytes of a page, and of the smallest buffer that has one. */
  static final long PAGE = 2 << 20;

  /** The largest that a Linux has for pages that are not huge. */
  private static final long SMALL_PAGE = 64 << 10;

  /** MADV_HUGEPAGE of Linux. */
  private static final int ADVICE = 14;

  /** madvise(void*, size_t, int): int. */
  private static final long ADVISE = CLibrary.function("madvise");

  /** Whether a buffer of so many bytes gains by them. */
  static boolean suit(DeviceInfo device, long bytes) {
    return ADVISE != 0 && device.kind() == DeviceInfo.Kind.CPU && bytes >= PAGE;
  }

  /** Maps so many bytes or more; null where the system has none. */
  static HugePages take(long bytes) {
    int access = MMAN.PROT_READ | MMAN.PROT_WRITE;
    int kind = MMAN.MAP_PRIVATE | MMAN.MAP_ANONYMOUS;
    long whole = (bytes + SMALL_PAGE - 1) / SMALL_PAGE * SMALL_PAGE;
    long length = whole + PAGE;
    long mapped = MMAN.nmmap(MemoryUtil.NULL, MemoryUtil.NULL, length, access, kind, -1, 0);
    if (mapped == MMAN.MAP_FAILED) {
      return null;
    }
    long address = (mapped + PAGE - 1) / PAGE * PAGE;
    unmap(mapped, address);
    unmap(address + whole, mapped + length);
    JNI.callPPI(address, whole, ADVICE, ADVISE);
    return new HugePages(address, whole);
  }

  @Override
  public void close() {
    unmap(address, address + bytes);
  }

  private static void unmap(long from, long to) {
    if (to > from) {
      MMAN.nmunmap(MemoryUtil.NULL, from, to - from);
    }
  }
}
