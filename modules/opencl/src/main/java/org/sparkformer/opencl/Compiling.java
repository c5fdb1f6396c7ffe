package org.sparkformer.opencl;

import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * What makes a driver compile, one after the other. PoCL's compiler is not safe when two contexts
 * of one process use it at once, and part of its work is done when a kernel is first run.
 */
final class Compiling {
  private static final ReentrantLock LOCK = new ReentrantLock();

  private Compiling() {}

  /**
   * Runs it while nobody else makes a driver compile; the JVM's signal handlers survive it, and
   * what it has freed goes back to the system.
   */
  static <T> T alone(Supplier<T> work) {
    LOCK.lock();
    try {
      return work.get();
    } finally {
      SignalHandlers.restore();
      NativeHeap.trim();
      LOCK.unlock();
    }
  }
}
