package org.sparkformer.collective;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Reuses direct buffers of one size, large enough for a whole frame, because allocating and freeing
 * direct memory at every chunk is slow. Small requests get heap buffers. Thread safe.
 */
final class BufferPool {
  private static final int SMALL_BYTES = 8192;

  private final int capacity;
  private final Deque<ByteBuffer> idle = new ArrayDeque<>();

  BufferPool(int capacity) {
    this.capacity = capacity;
  }

  /** Whether {@link #acquire} has buffers of so many bytes. */
  boolean fits(int bytes) {
    return bytes <= capacity;
  }

  /** A buffer with position 0 and limit {@code bytes}, little-endian, of any content. */
  ByteBuffer acquire(int bytes) {
    if (!fits(bytes)) {
      throw new IllegalArgumentException(
          bytes + " bytes do not fit a frame of at most " + capacity);
    }
    ByteBuffer buffer = bytes <= SMALL_BYTES ? ByteBuffer.allocate(bytes) : idleOrNew();
    return buffer.clear().limit(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Gives back what {@link #acquire} gave out. */
  void release(ByteBuffer buffer) {
    if (buffer.isDirect()) {
      synchronized (idle) {
        idle.push(buffer);
      }
    }
  }

  private ByteBuffer idleOrNew() {
    synchronized (idle) {
      if (!idle.isEmpty()) {
        return idle.pop();
      }
    }
    return ByteBuffer.allocateDirect(capacity);
  }
}
