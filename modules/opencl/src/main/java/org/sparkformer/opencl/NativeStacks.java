package org.sparkformer.opencl;

import org.lwjgl.system.APIUtil;
import org.lwjgl.system.JNI;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.system.Platform;
import org.lwjgl.system.SharedLibrary;

/**
 * Stack size of the threads that drivers start. PoCL's own worker threads compile kernels when they
 * are first run, and take the stack that the process's limit gives, 8 MB as a rule: too little for
 * large kernels, and a segmentation fault ends the JVM.
 */
final class NativeStacks {
  /** Address space that is only taken where it is used. */
  private static final long BYTES = 64 << 20;

  /** More than any C library's pthread_attr_t. */
  private static final int ATTRIBUTE_BYTES = 256;

  private static boolean done;

  private NativeStacks() {}

  /**
   * Makes threads started from here on without a size of their own large
   * (pthread_setattr_default_np of the GNU C library). Elsewhere does nothing; Java's threads bring
   * their own size.
   */
  static synchronized void enlarge() {
    if (!done && Platform.get() == Platform.LINUX) {
      done = true;
      // libpthread is part of libc from glibc 2.34 on, and stays as an empty library beside it.
      try (SharedLibrary c = APIUtil.apiCreateLibrary("libc.so.6")) {
        enlarge(c);
      } catch (UnsatisfiedLinkError notGlibc) {
        System.getLogger(NativeStacks.class.getName())
            .log(System.Logger.Level.DEBUG, "stacks of native threads are left as they are");
      }
    }
  }

  private static void enlarge(SharedLibrary c) {
    long get = c.getFunctionAddress("pthread_getattr_default_np");
    long size = c.getFunctionAddress("pthread_attr_setstacksize");
    long set = c.getFunctionAddress("pthread_setattr_default_np");
    if (get == 0 || size == 0 || set == 0) {
      return;
    }
    try (MemoryStack stack = MemoryStack.stackPush()) {
      long attributes = stack.ncalloc(Long.BYTES, ATTRIBUTE_BYTES, 1);
      if (JNI.callPI(attributes, get) == 0 && JNI.callPPI(attributes, BYTES, size) == 0) {
        JNI.callPI(attributes, set);
      }
    }
  }
}
