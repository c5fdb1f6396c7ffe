package org.sparkformer.spark.transport;

import io.netty.util.internal.PlatformDependent;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;

/** What this process holds. */
final class UsedMemory {
  private static final Duration LONGEST = Duration.ofSeconds(60);

  private UsedMemory() {}

  /** On the heap, after a collection, and in Netty's buffers. */
  static long bytes() {
    collectGarbage();
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed()
        + PlatformDependent.usedDirectMemory();
  }

  /**
   * Until the whole heap was collected: G1 leaves a request undone while any thread is inside JNI's
   * critical section, as those of compression are.
   */
  private static void collectGarbage() {
    GarbageCollectorMXBean whole =
        ManagementFactory.getGarbageCollectorMXBeans().stream()
            .filter(collector -> collector.getName().equals("G1 Old Generation"))
            .findFirst()
            .orElseThrow();
    long before = whole.getCollectionCount();
    long end = System.nanoTime() + LONGEST.toNanos();
    while (whole.getCollectionCount() == before) {
      if (System.nanoTime() > end) {
        throw new AssertionError("the heap was not collected");
      }
      System.gc();
    }
  }
}
