package org.sparkformer.testkit;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.Callable;

/**
 * Holds a parser to memory of twice its input and a constant. Counts what the calling thread
 * allocates, an upper bound of what it holds at once; the constant covers a parser's own tables and
 * buffers, and the small objects of inputs of some kilobytes.
 */
public final class AllocationLimit {
  private static final long CONSTANT_BYTES = 8L << 20;
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private AllocationLimit() {}

  /**
   * Runs a parser and returns what it returned. One that allocated too much is run again, for the
   * first time loads classes.
   *
   * @param inputBytes size of its input
   * @throws AssertionError if it allocated too much, whether it returned or threw
   * @throws Exception what the parser throws
   */
  public static <T> T within(int inputBytes, Callable<T> parser) throws Exception {
    long limit = 2L * inputBytes + CONSTANT_BYTES;
    long before = THREADS.getCurrentThreadAllocatedBytes();
    try {
      return parser.call();
    } finally {
      if (THREADS.getCurrentThreadAllocatedBytes() - before > limit) {
        requireWithin(limit, inputBytes, parser);
      }
    }
  }

  private static void requireWithin(long limit, int inputBytes, Callable<?> parser)
      throws Exception {
    long before = THREADS.getCurrentThreadAllocatedBytes();
    try {
      parser.call();
    } finally {
      long allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
      if (allocated > limit) {
        throw new AssertionError(inputBytes + " bytes of input cost " + allocated + " bytes");
      }
    }
  }
}
