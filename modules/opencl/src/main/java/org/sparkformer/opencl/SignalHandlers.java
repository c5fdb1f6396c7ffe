package org.sparkformer.opencl;

import org.lwjgl.system.JNI;
import org.lwjgl.system.MemoryUtil;

/**
 * The JVM's handlers of the signals by which it notices null pointers, stops its threads for the
 * garbage collector and the like. LLVM, which is PoCL's compiler, puts its own in their places when
 * it first writes a file. They hand what they get back to the JVM, but the kernel takes them away
 * at the first signal (SA_RESETHAND): where two threads were stopped at the same moment, the second
 * found no handler at all, and the process was gone.
 */
final class SignalHandlers {
  /** SIGILL, SIGBUS, SIGFPE and SIGSEGV of Linux. */
  private static final int[] SIGNALS = {4, 7, 8, 11};

  /** More than any C library's struct sigaction. */
  private static final int ACTION_BYTES = 256;

  private static long sigaction;

  /** The handlers that are restored, one after the other: memory of the process, never freed. */
  private static long actions;

  private SignalHandlers() {}

  /**
   * Notes the handlers of this moment, before any driver is loaded; only the first call counts, and
   * only on Linux with the GNU C library.
   */
  static synchronized void keep() {
    if (actions != 0) {
      return;
    }
    sigaction = CLibrary.function("sigaction");
    if (sigaction != 0) {
      actions = MemoryUtil.nmemCallocChecked(SIGNALS.length, ACTION_BYTES);
      for (int i = 0; i < SIGNALS.length; i++) {
        JNI.callPPI(SIGNALS[i], MemoryUtil.NULL, action(i), sigaction);
      }
    }
  }

  /** Puts the handlers that were noted back in their places. */
  static synchronized void restore() {
    for (int i = 0; actions != 0 && i < SIGNALS.length; i++) {
      JNI.callPPI(SIGNALS[i], action(i), MemoryUtil.NULL, sigaction);
    }
  }

  private static long action(int index) {
    return actions + (long) index * ACTION_BYTES;
  }
}
