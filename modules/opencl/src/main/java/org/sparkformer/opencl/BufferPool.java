package org.sparkformer.opencl;

import java.nio.IntBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.lwjgl.opencl.CL10;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.system.MemoryUtil;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.OutOfDeviceMemoryException;

/**
 * Device buffers that are kept for the next tensor of about their size.
 *
 * <p>A buffer may come back while kernels that use it are queued: the queue is in order, so whoever
 * takes it next comes after them.
 */
final class BufferPool implements AutoCloseable {
  private static final long PAGE = 4096;
  private static final long LARGEST_STEP = 2 << 20;

  private final DeviceQueue queue;
  private final long limit;
  private final Map<Long, Deque<Long>> free = new HashMap<>();
  private final Set<Long> lent = new HashSet<>();

  /** The host memory that buffers were made of, where it is ours. */
  private final Map<Long, HugePages> hostMemory = new HashMap<>();

  private long bytes;
  private long idle;
  private long peak;
  private boolean closed;

  /**
   * @param limit bytes that may be taken from the device
   */
  BufferPool(DeviceQueue queue, long limit) {
    this.queue = queue;
    this.limit = limit;
  }

  /** Bytes that may be taken from the device. */
  long limit() {
    return limit;
  }

  /**
   * Sizes share a free list in eight steps an octave, or of 2 MiB, so at most an eighth of a buffer
   * idles and little of a large one, as of a model's weights.
   */
  static long rounded(long bytes) {
    long eighth = Long.highestOneBit(Math.max(1, bytes)) / 8;
    long step = Math.max(PAGE, Math.min(eighth, LARGEST_STEP));
    return (Math.max(1, bytes) + step - 1) / step * step;
  }

  synchronized OpenClStorage take(long bytes) {
    long size = Math.max(bytes, Math.min(rounded(bytes), queue.device().info().memory().largest()));
    Deque<Long> reusable = free.get(size);
    if (reusable != null && !reusable.isEmpty()) {
      idle -= size;
      return lend(reusable.pop(), bytes, size);
    }
    if (this.bytes + size > limit) {
      trim();
    }
    if (this.bytes + size > limit) {
      throw refusal(bytes, "the limit is reached");
    }
    long buffer = create(bytes, size);
    this.bytes += size;
    peak = Math.max(peak, this.bytes);
    return lend(buffer, bytes, size);
  }

  private OpenClStorage lend(long buffer, long bytes, long size) {
    lent.add(buffer);
    return new OpenClStorage(this, buffer, bytes, size);
  }

  private long create(long bytes, long size) {
    int[] status = new int[1];
    long buffer = allocate(size, status);
    if (status[0] != CL10.CL_SUCCESS) {
      trim();
      buffer = allocate(size, status);
    }
    if (status[0] != CL10.CL_SUCCESS) {
      throw refusal(bytes, "the device says " + Status.name(status[0]));
    }
    queue.activity().bufferCreated();
    return buffer;
  }

  private long allocate(long size, int[] status) {
    boolean huge = HugePages.suit(queue.device().info(), size);
    HugePages memory = huge ? HugePages.take(size) : null;
    long address = memory == null ? MemoryUtil.NULL : memory.address();
    long flags = CL10.CL_MEM_READ_WRITE | (memory == null ? 0 : CL10.CL_MEM_USE_HOST_PTR);
    try (MemoryStack stack = MemoryStack.stackPush()) {
      IntBuffer result = stack.mallocInt(1);
      long buffer =
          CL10.nclCreateBuffer(
              queue.context(), flags, size, address, MemoryUtil.memAddress(result));
      status[0] = result.get(0);
      if (memory != null && status[0] == CL10.CL_SUCCESS) {
        hostMemory.put(buffer, memory);
      } else if (memory != null) {
        memory.close();
      }
      return buffer;
    }
  }

  private OutOfDeviceMemoryException refusal(long wanted, String reason) {
    return new OutOfDeviceMemoryException(
        ("no device memory for %,d bytes on %s: %s (%,d bytes in use, limit %,d, largest buffer"
                + " %,d); make the micro-batch, the context or the model smaller")
            .formatted(
                wanted,
                queue.device().info().name(),
                reason,
                bytes - idle,
                limit,
                queue.device().info().memory().largest()));
  }

  synchronized void giveBack(long buffer, long size) {
    if (!closed) {
      lent.remove(buffer);
      free.computeIfAbsent(size, ignored -> new ArrayDeque<>()).push(buffer);
      idle += size;
    }
  }

  /** Returns idle buffers to the device, once nothing queued uses them. */
  private void trim() {
    queue.finish();
    releaseIdle();
  }

  private void releaseIdle() {
    free.values().forEach(list -> list.forEach(this::release));
    free.clear();
    bytes -= idle;
    idle = 0;
  }

  private void release(long buffer) {
    CL10.clReleaseMemObject(buffer);
    HugePages memory = hostMemory.remove(buffer);
    if (memory != null) {
      memory.close();
    }
  }

  synchronized Backend.Memory memory() {
    return new Backend.Memory(bytes, peak);
  }

  /** Releases all buffers, also those that tensors still hold. */
  @Override
  public synchronized void close() {
    closed = true;
    releaseIdle();
    lent.forEach(this::release);
    lent.clear();
  }
}
