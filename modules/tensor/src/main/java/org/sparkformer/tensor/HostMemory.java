package org.sparkformer.tensor;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Direct host memory in native order, for copies that are started; see {@link Backend#hostMemory}.
 *
 * @param bytes not to be touched once this is closed
 * @param release gives the memory back
 */
public record HostMemory(ByteBuffer bytes, Runnable release) implements AutoCloseable {

  /** Memory of the JVM, which its garbage collector takes back. */
  public static HostMemory ordinary(int bytes) {
    return new HostMemory(
        ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder()), () -> {});
  }

  @Override
  public void close() {
    release.run();
  }
}
